"""People in front of machines: they think, mistype, change their minds, and may guess PINs."""

import random
from typing import Any

from protocol.kinds import Kind, Options, Scope
from protocol.secret import Secret
from terminal_sim.core import effects as out
from terminal_sim.core import records as r
from terminal_sim.core.records import AnyRecord
from terminal_sim.customer import Choice, DomicileWish
from tests.sim.city import Cardholder
from tests.sim.faults import Faults
from tests.sim.loop import US_PER_MS, SimLoop, pause_us
from tests.sim.residents import PINS_DRAWN

THINKS_MS_MAX = 4_000
TYPES_AGAIN_MAX = 4
TOGETHER_MS = 20_000
"""Who acts together with others waits for the next multiple of this."""


class SimPerson:
    """A ``terminal_sim.customer.Customer`` with one card and some wishes."""

    def __init__(
        self,
        holder: Cardholder,
        faults: Faults,
        loop: SimLoop,
        *,
        wishes: int,
        together: bool,
        guesses: bool,
    ) -> None:
        """Decide what they are here for.

        Args:
            holder: whose card they have.
            faults: decides on what they do wrong.
            loop: the time.
            wishes: how many certificates they want.
            together: whether they press at the same moments as others.
            guesses: whether the card is not theirs, and they guess.
        """
        self.holder = holder
        self._faults = faults
        self._loop = loop
        self._dice: random.Random = faults.dice
        self._wishes = wishes
        self._together = together
        self._guesses = guesses
        self._issuance_id: bytes | None = None
        self._typed = 0

    async def type_pin(self, asked: out.AskForPin) -> Secret | None:
        """Type, rightly or wrongly, or go."""
        await self._think()
        faults = self._faults
        self._typed += 1
        if self._typed > TYPES_AGAIN_MAX or faults.hits(faults.rates.leaves, "person left"):
            return None
        wrong = self._guesses and faults.rates.wrong_pin
        if wrong or faults.hits(faults.rates.wrong_pin, "wrong PIN"):
            if wrong:
                faults.note("PIN guessed")
            return self.holder.typed(self._dice.randrange(PINS_DRAWN))
        return self.holder.pin

    async def choose(self, menu: out.ShowMenu) -> Choice | None:
        """Choose the next certificate, or go."""
        await self._think()
        faults = self._faults
        gone = faults.hits(faults.rates.leaves, "person left")
        if gone or not self._wishes or not menu.items:
            return None
        self._wishes -= 1
        if self._together:
            past_ms = self._loop.now_us // US_PER_MS % TOGETHER_MS
            await pause_us((TOGETHER_MS - past_ms) * US_PER_MS)
        scope = self._dice.choice((Scope.SELF, Scope.SELF, Scope.HOUSEHOLD))
        copies = self._dice.choice((1, 1, 1, 2))
        return Choice(kind=Kind.JUMINHYO, options=Options(scope=scope), copies=copies)

    async def ask_domicile(self, _asked: out.OfferDomicile) -> DomicileWish | None:
        """Go."""
        return None

    async def pay(self, asked: out.AskForMoney) -> int:
        """Put in the fee, more, or less."""
        await self._think()
        if self._faults.hits(self._faults.rates.wrong_money, "wrong money"):
            return self._dice.choice((0, asked.fee_yen - 10, asked.fee_yen + 300))
        return asked.fee_yen

    def watch(self, happened: AnyRecord | out.Leaving) -> None:
        """Remember what is under way."""
        if isinstance(happened, r.Applied):
            self._issuance_id = happened.issuance_id

    def cancels(self, happened: AnyRecord | out.Leaving) -> bytes | None:
        """Press 取消 at any moment."""
        of: Any = getattr(happened, "issuance_id", None)
        if of is None or of != self._issuance_id:
            return None
        if self._faults.hits(self._faults.rates.cancel / 8, "person cancelled"):
            return self._issuance_id
        return None

    async def _think(self) -> None:
        await pause_us(int(self._dice.random() * THINKS_MS_MAX) * US_PER_MS)
