"""The person of the command line: PINs and choice are given beforehand; the screen is stderr."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from protocol.codes import ReplyCode
from protocol.secret import Secret
from protocol.telegrams import Refused, Unavailable
from terminal_sim.core import effects as out
from terminal_sim.core import records as r
from terminal_sim.core.records import AnyRecord
from terminal_sim.customer import Choice

_JAPAN = timezone(timedelta(hours=9))
_WEEKDAYS = "月火水木金土日"


@dataclass(frozen=True, slots=True, kw_only=True)
class Keypad:
    """Where PINs come from.

    Attributes:
        pins: typed one after the other.
        prompt: asks for a PIN at the keyboard, or None to leave; None: there is no keyboard.
    """

    pins: Sequence[Secret]
    prompt: Callable[[], Awaitable[Secret | None]] | None = None


class Person:
    """Plays a ``Customer``, tells what happens, and remembers it for the result.

    Attributes:
        visit_id: of the visit, once it began.
        issuance_id: of the application, once it was made.
        refusal: what the city refused last, if that was how it ended.
        marks: what was reached when: name and time in milliseconds.
    """

    def __init__(
        self,
        *,
        keypad: Keypad,
        choice: Choice,
        insert_yen: int | None,
        say: Callable[[str], None],
        clock: Callable[[], int],
    ) -> None:
        """Decide beforehand what will be done.

        Args:
            keypad: the PINs.
            choice: what is applied for.
            insert_yen: how much is put in; None: exactly the fee.
            say: shows a line.
            clock: the time in milliseconds.
        """
        self.visit_id: bytes | None = None
        self.issuance_id: bytes | None = None
        self.refusal: Refused | None = None
        self.marks: list[tuple[str, int]] = [("started", clock())]
        self._pins = list(keypad.pins)
        self._last_pin: Secret | None = None
        self._prompt = keypad.prompt
        self._choice = choice
        self._insert_yen = insert_yen
        self._say = say
        self._clock = clock

    async def type_pin(self, asked: out.AskForPin) -> Secret | None:
        """Return the next PIN; after a mere time-out, the same one again."""
        refusal = asked.refusal
        if refusal is not None:
            left = "" if refusal.tries_left is None else f" あと{refusal.tries_left}回。"
            self._say(f"{refusal.code.sentence()}{left}({refusal.code.sentence('en')})")
        if refusal is not None and refusal.code is ReplyCode.CHALLENGE_EXPIRED and self._last_pin:
            return self._last_pin
        self._last_pin = await self._next_pin()
        return self._last_pin

    async def choose(self, menu: out.ShowMenu) -> Choice | None:
        """Return the choice that was made beforehand."""
        offered = "、".join(f"{item.kind.title} {item.fee_yen}円" for item in menu.items)
        self._say(f"本人確認ができました。{offered or '選べる証明書がありません'} (menu)")
        for one in menu.unavailable:
            self._say(f"{one.kind.title}: {why_not(one)} (not available)")
        return self._choice

    async def pay(self, asked: out.AskForMoney) -> int:
        """Put in the amount that was decided beforehand."""
        amount_yen = asked.fee_yen if self._insert_yen is None else self._insert_yen
        self._say(f"手数料 {asked.fee_yen}円、投入 {amount_yen}円 (fee, money put in)")
        return amount_yen

    def watch(self, happened: AnyRecord | out.Leaving) -> None:
        """Remember what was reached, and show it."""
        match happened:
            case r.VisitOpened():
                self.visit_id = happened.visit_id
            case r.Applied():
                self.issuance_id = happened.issuance_id
            case out.ReturnCard() if self.issuance_id is None:
                self.refusal = happened.refusal
            case out.IssuanceOver() if happened.issuance_id == self.issuance_id:
                self.refusal = happened.refusal
        name = _MARKS.get(type(happened))
        own = getattr(happened, "issuance_id", self.issuance_id) == self.issuance_id
        if name is not None and own:
            self.marks.append((name, self._clock()))
        line = _line(happened) if own else None
        if line is not None:
            self._say(line)

    async def _next_pin(self) -> Secret | None:
        if self._pins:
            return self._pins.pop(0)
        if self._prompt is None:
            return None
        return await self._prompt()


def why_not(unavailable: Unavailable) -> str:
    """Return the sentence for a kind that is not to be had, with the time at which it opens."""
    sentence = unavailable.code.sentence()
    if unavailable.opens_at_ms is None:
        return sentence
    opens = datetime.fromtimestamp(unavailable.opens_at_ms / 1_000, _JAPAN)
    weekday = _WEEKDAYS[opens.weekday()]
    return f"{sentence}{opens.month}月{opens.day}日({weekday}) {opens.hour}:{opens:%M} から"


def _line(happened: AnyRecord | out.Leaving) -> str | None:
    """Return what the screen shows, in Japanese with a little English."""
    line = None
    match happened:
        case out.LineOpened():
            line = f"開局しました。お問い合わせ {happened.call_centre} (line open)"
        case r.Quoted():
            line = f"見積もり {happened.fee_yen}円、{happened.sheets}枚 (quotation)"
        case r.CiphertextHeld():
            line = "証明書を封緘のまま受け取りました (ciphertext held)"
        case out.HoldMoney() if happened.change_yen:
            line = f"おつり {happened.change_yen}円 (change)"
        case r.ReleaseGranted():
            line = "印刷許可を受けました (released)"
        case out.LaySheet():
            line = f"印刷 {happened.sheet}/{happened.sheets}枚 (printing)"
        case r.PrintFailed() | r.Withdrawn() if happened.returned_yen:
            line = f"{happened.returned_yen}円をお返しします (money returned)"
        case r.DeletionTaken():
            line = f"消去が確認されました: {happened.answer} (deletion taken)"
        case out.ReturnCard():
            line = "カードをお取りください (card returned)"
    return line


_MARKS: dict[type[object], str] = {
    out.LineOpened: "opened",
    out.ShowMenu: "authenticated",
    r.Quoted: "quoted",
    r.CiphertextHeld: "fetched",
    r.ReleaseAsked: "paid",
    r.ReleaseGranted: "released",
    r.Printed: "printed",
    r.DeletionTaken: "settled",
}
