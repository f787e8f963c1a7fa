"""The person in front of the panel, as the machine sees them: questions become screens."""

import asyncio
from collections.abc import Callable

from protocol.secret import Secret
from terminal_sim.core import effects as out
from terminal_sim.core import records as r
from terminal_sim.core.records import AnyRecord
from terminal_sim.customer import Choice, DomicileWish
from terminal_sim.kiosk.inputs import Asked, Happened, Input, Question

Answer = Secret | Choice | int | None


class KioskCustomer:
    """Passes questions on to the panel, and its answers back; what happens is told to it."""

    def __init__(self, tell: Callable[[Input], None]) -> None:
        """Prepare; ``tell`` takes what the panel must know."""
        self._tell = tell
        self._waiting: asyncio.Future[Answer] | None = None
        self._issuance_id: bytes | None = None
        self._cancelling = False

    def give(self, answer: Answer) -> None:
        """Answer the question that waits; without one, nothing happens."""
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(answer)

    def cancel(self) -> None:
        """Press 取消 as soon as the terminal looks."""
        self._cancelling = True

    async def type_pin(self, asked: out.AskForPin) -> Secret | None:
        """Let a PIN be typed."""
        pin = await self._ask(asked)
        return pin if isinstance(pin, Secret) else None

    async def choose(self, menu: out.ShowMenu) -> Choice | None:
        """Let a certificate be chosen."""
        self._cancelling = False
        choice = await self._ask(menu)
        return choice if isinstance(choice, Choice) else None

    async def ask_domicile(self, asked: out.OfferDomicile) -> DomicileWish | None:
        """Say why nothing is to be had; a form by 本籍 is not filled in at this panel."""
        await self._ask(asked)
        return None

    async def pay(self, asked: out.AskForMoney) -> int:
        """Let money be put in."""
        amount_yen = await self._ask(asked)
        return amount_yen if isinstance(amount_yen, int) else 0

    def watch(self, happened: AnyRecord | out.Leaving) -> None:
        """Tell the panel."""
        if isinstance(happened, r.Applied):
            self._issuance_id = happened.issuance_id
        self._tell(Happened(happened=happened))

    def cancels(self, happened: AnyRecord | out.Leaving) -> bytes | None:
        """Press 取消 where the person did."""
        looks = isinstance(happened, r.Quoted | out.StoreCiphertext | out.AskForMoney)
        return self._issuance_id if self._cancelling and looks else None

    async def _ask(self, question: Question) -> Answer:
        self.give(None)  # an older question that was overtaken
        self._waiting = asyncio.get_running_loop().create_future()
        waiting = self._waiting
        self._tell(Asked(question=question))
        return await waiting
