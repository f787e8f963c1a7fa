"""The person who asks that a card be registered by 本籍, or how such a request stands."""

import argparse
import unicodedata
from collections.abc import Callable
from typing import Any

from protocol.domicile_telegrams import DomicileState, DomicileTold
from protocol.telegrams import Refused
from terminal_sim.core import effects as out
from terminal_sim.core.records import AnyRecord
from terminal_sim.customer import DomicileTyped, DomicileWish
from terminal_sim.opening import Clock, Ended
from terminal_sim.person import Keypad, Person
from terminal_sim.result import Exit, refusal_object

_NO_TEXT = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_WORDS = {
    DomicileState.ACCEPTED: "受け付けました。市の窓口が確認します (accepted)",
    DomicileState.CHECKING: "確認中です (being checked)",
    DomicileState.USABLE: "登録されました。ご利用開始日 (registered, usable from)",
    DomicileState.REJECTED: "登録できませんでした (not registered)",
}


class Applicant(Person):
    """Has no certificate in mind.

    Attributes:
        told: what the city answered.
        known: whether the card is registered and taken, so that there was a menu.
    """

    def __init__(
        self, *, keypad: Keypad, typed: DomicileTyped | None, say: Callable[[str], None]
    ) -> None:
        """Decide beforehand what is typed; None: only ask how the latest request stands."""
        super().__init__(keypad=keypad, choices=[], insert_yen=None, say=say, clock=Clock())
        self.told: DomicileTold | None = None
        self.known = False
        self._wish = DomicileWish(typed=typed)
        self._tell = say

    async def ask_domicile(self, asked: out.OfferDomicile) -> DomicileWish | None:
        """Want it."""
        self._tell(f"{asked.refusal.code.sentence()} ({asked.refusal.code.sentence('en')})")
        return self._wish

    def watch(self, happened: AnyRecord | out.Leaving) -> None:
        """Remember the answer, and show it."""
        super().watch(happened)
        match happened:
            case out.ShowMenu():
                self.known = True
            case out.ReturnCard():
                self.visit_refusal = happened.refusal
            case out.TellDomicile():
                self.told = happened.told
                more = happened.told.usable_from or happened.told.words
                self._tell(f"{_WORDS[happened.told.state]} {more}".rstrip())

    def result(self, ended: Ended) -> tuple[Exit, dict[str, Any]]:
        """Return exit code and the object that ``--json`` prints."""
        told, code = self.told, ended.machine.refused
        refusal = self.visit_refusal if code is None else Refused(code=code)
        state = "in-use" if self.known else None
        answer: dict[str, Any] = {
            "terminal": ended.state.profile.terminal,
            "visit": None if self.visit_id is None else self.visit_id.hex(),
            "request": None if told is None else told.request_id.hex(),
            "state": state if told is None else told.state.value,
            "usable_from": None if told is None else told.usable_from,
            "words": None if told is None else told.words or None,
            "refusal": None if told else refusal_object(refusal),
        }
        if told is not None or self.known:
            return Exit.DONE, answer
        return (Exit.FAILED if refusal is None else Exit.REFUSED), answer


def add_domicile_arguments(command: argparse.ArgumentParser) -> None:
    """Add what is typed into the form."""
    for name, meaning, most in (
        ("domicile", "本籍", 100),
        ("register-head", "筆頭者", 100),
        ("name", "氏名", 100),
        ("birth", "生年月日", 40),
    ):
        command.add_argument(f"--{name}", required=True, type=_text_of(most), help=meaning)
    command.add_argument("--phone", default="", type=_phone, help="where the counter may call")


def typed_of(arguments: argparse.Namespace) -> DomicileTyped:
    """Return what was typed."""
    return DomicileTyped(
        domicile=arguments.domicile,
        register_head=arguments.register_head,
        name=arguments.name,
        birth=arguments.birth,
        phone=arguments.phone,
    )


def _text_of(most: int) -> Callable[[str], str]:
    def convert(text: str) -> str:
        if not text.strip() or len(text) > most or not _is_line(text):
            raise argparse.ArgumentTypeError(f"1 to {most} characters")
        return text

    return convert


def _is_line(text: str) -> bool:
    """Tell whether this is text in one line; a name has a full-width space."""
    return not any(unicodedata.category(one) in _NO_TEXT for one in text)


def _phone(text: str) -> str:
    most = 20
    if len(text) > most or not set(text) <= set("0123456789+()- "):
        raise argparse.ArgumentTypeError(f"at most {most} digits and + ( ) -")
    return text
