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
from terminal_sim.customer import CancelPoint, Choice, DomicileWish

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


@dataclass(slots=True, kw_only=True)
class Application:
    """One certificate that is wanted of the visit, and what came of it.

    Attributes:
        choice: what is wanted.
        issuance_id: once it was applied for.
        refusal: what the city refused, if that was how it ended.
    """

    choice: Choice
    issuance_id: bytes | None = None
    refusal: Refused | None = None


class Person:
    """Plays a ``Customer``, tells what happens, and remembers it for the result.

    Attributes:
        visit_id: of the visit, once it began.
        applications: what is wanted, in order; what was never applied for has no id.
        visit_refusal: what the city refused, if that was how the visit ended.
        returned_yen: what the coin box gave back in this visit, but for change.
        marks: what was reached when: name and time in milliseconds; from the second certificate
            on, the name bears its number.
    """

    def __init__(
        self,
        *,
        keypad: Keypad,
        choices: Sequence[Choice],
        insert_yen: int | None,
        say: Callable[[str], None],
        clock: Callable[[], int],
    ) -> None:
        """Decide beforehand what will be done.

        Args:
            keypad: the PINs.
            choices: what is applied for, one after the other; at least one.
            insert_yen: how much is put in for each; None: exactly the fee.
            say: shows a line.
            clock: the time in milliseconds.
        """
        self.visit_id: bytes | None = None
        self.applications = [Application(choice=choice) for choice in choices]
        self.visit_refusal: Refused | None = None
        self.returned_yen = 0
        self.marks: list[tuple[str, int]] = [("started", clock())]
        self._pins = list(keypad.pins)
        self._last_pin: Secret | None = None
        self._prompt = keypad.prompt
        self._waiting = iter(self.applications)
        self._present: Application | None = None
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

    @property
    def issuance_id(self) -> bytes | None:
        """The latest application's."""
        return None if self._present is None else self._present.issuance_id

    @property
    def refusal(self) -> Refused | None:
        """What the city refused last, if that was how the visit or its last application ended."""
        applied = None if self._present is None else self._present.refusal
        return applied or self.visit_refusal

    async def choose(self, menu: out.ShowMenu) -> Choice | None:
        """Return the next choice that was made beforehand; after the last one, go."""
        if self._present is None:
            offered = "、".join(f"{item.kind.title} {item.fee_yen}円" for item in menu.items)
            self._say(f"本人確認ができました。{offered or '選べる証明書がありません'} (menu)")
            for one in menu.unavailable:
                self._say(f"{one.kind.title}: {why_not(one)} (not available)")
        wanted = next(self._waiting, None)
        if wanted is None or wanted.choice.cancel_at is CancelPoint.MENU:
            return None
        self._present = wanted
        return wanted.choice

    async def ask_domicile(self, _asked: out.OfferDomicile) -> DomicileWish | None:
        """Go: a certificate was wanted."""
        return None

    async def pay(self, asked: out.AskForMoney) -> int:
        """Put in the amount that was decided beforehand."""
        if self._cancel_at is CancelPoint.HELD:
            return 0
        amount_yen = asked.fee_yen if self._insert_yen is None else self._insert_yen
        self._say(f"手数料 {asked.fee_yen}円、投入 {amount_yen}円 (fee, money put in)")
        return amount_yen

    def watch(self, happened: AnyRecord | out.Leaving) -> None:
        """Remember what was reached, and show it."""
        match happened:
            case r.VisitOpened():
                self.visit_id = happened.visit_id
            case r.Applied() if self._present is not None:
                self._present.issuance_id = happened.issuance_id
            case out.ReturnCard() if not self._all_applied:
                self.visit_refusal = happened.refusal
            case out.ReturnMoney() if self._numbers(happened.issuance_id):
                self.returned_yen += happened.amount_yen
            case out.IssuanceOver():
                for number in self._numbers(happened.issuance_id):
                    self.applications[number - 1].refusal = happened.refusal
        numbers = [1]
        issuance_id: bytes | None = getattr(happened, "issuance_id", None)
        if issuance_id is not None:
            numbers = self._numbers(issuance_id)
        name = _MARKS.get(type(happened))
        if name is not None and numbers:
            (number,) = numbers
            self.marks.append((name if number == 1 else f"{name}-{number}", self._clock()))
        line = _line(happened) if numbers else None
        if line is not None:
            self._say(line)

    def cancels(self, happened: AnyRecord | out.Leaving) -> bytes | None:
        """Press 取消 where it was decided beforehand."""
        cancel_at = self._cancel_at
        if cancel_at is CancelPoint.MONEY:  # pressed while the coins fall: they come back
            cancel_at = CancelPoint.HELD
        if cancel_at is None or _POINTS.get(type(happened)) is not cancel_at:
            return None
        self._say("取消を押します (cancelled)")
        return self.issuance_id

    @property
    def _cancel_at(self) -> CancelPoint | None:
        return None if self._present is None else self._present.choice.cancel_at

    @property
    def _all_applied(self) -> bool:
        return all(wanted.issuance_id is not None for wanted in self.applications)

    def _numbers(self, issuance_id: bytes) -> list[int]:
        """Return the number of an application of this visit, from 1; none for one from before."""
        ids = [wanted.issuance_id for wanted in self.applications]
        return [ids.index(issuance_id) + 1] if issuance_id in ids else []

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
        case out.ReturnMoney() if happened.amount_yen:
            line = f"{happened.amount_yen}円をお返しします (money returned)"
        case r.DeletionTaken():
            line = f"消去が確認されました: {happened.answer} (deletion taken)"
        case out.ReturnCard():
            line = "カードをお取りください (card returned)"
    return line


_POINTS: dict[type[object], CancelPoint] = {
    r.Applied: CancelPoint.APPLICATION,
    r.Quoted: CancelPoint.QUOTATION,
    out.StoreCiphertext: CancelPoint.FETCHING,
    out.AskForMoney: CancelPoint.HELD,
}
"""On seeing what 取消 is pressed."""

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
