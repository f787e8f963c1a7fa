"""Telegrams of 本籍地利用登録: a card that this city does not know asks to be registered (TP-055).

They carry what a person typed about a family register. None of it may be logged or stored by a
terminal, and all of one kind are of one length on the line.
"""

from enum import Enum
from typing import Annotated, TypeAlias

from msgspec import Meta

from protocol.fields import Id, PersonDate, PersonName, PersonText
from protocol.shown import Shown, shown
from protocol.telegram import Telegram

Phone: TypeAlias = Annotated[str, Meta(max_length=20, extra=shown(Shown.PERSON))]
Day: TypeAlias = Annotated[str, Meta(min_length=10, max_length=10)]


class DomicileState(Enum):
    """Where a request stands."""

    ACCEPTED = "accepted"  # 受付済: it waits for the counter
    CHECKING = "checking"  # 確認中: the counter has found a register, a second person checks
    USABLE = "usable"  # 登録済: the card can be used from a day on
    REJECTED = "rejected"  # 登録できません: the counter says why


class RegisterDomicile(Telegram, frozen=True, kw_only=True, tag="register-domicile"):
    """本籍地利用登録申請, after a certificate was found good and the card not known.

    Attributes:
        visit_id: the visit.
        request_id: made by the terminal; names the request for ever.
        domicile: 本籍, as typed.
        register_head: 筆頭者.
        name: 氏名.
        birth: 生年月日, as typed.
        phone: where the counter may call; may be empty.
    """

    visit_id: Id
    request_id: Id
    domicile: PersonName
    register_head: PersonName
    name: PersonName
    birth: PersonDate
    phone: Phone = ""

    def __repr__(self) -> str:
        return f"RegisterDomicile({self.request_id.hex()})"


class AskDomicile(Telegram, frozen=True, kw_only=True, tag="ask-domicile"):
    """Asks how the card's latest request stands."""

    visit_id: Id


class DomicileTold(Telegram, frozen=True, kw_only=True, tag="domicile-told"):
    """How a request stands.

    Attributes:
        request_id: which.
        state: where it stands.
        usable_from: of a usable card, the first day; otherwise absent.
        words: of a rejected request, what the counter says; personal, for the screen.
    """

    request_id: Id
    state: DomicileState
    usable_from: Day | None = None
    words: PersonText = ""

    def __repr__(self) -> str:
        return f"DomicileTold({self.request_id.hex()}, {self.state.value})"
