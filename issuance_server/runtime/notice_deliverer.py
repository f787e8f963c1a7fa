"""Delivers notices (本人通知) at least once: a notice is marked as sent only after it was taken.

If the process dies in between, the notice goes out once more, under the same key.
"""

import asyncio
from collections import Counter
from collections.abc import Callable

from issuance_server.core.notices import NoticeState
from issuance_server.ports import Clock, NoticeSender, Outbox
from protocol.errors import AdapterError

LOOK_INTERVAL_MS = 1_000
FORGET_INTERVAL_MS = 60 * 60 * 1_000


class NoticeDeliverer:
    """One per running city that has a way to send."""

    def __init__(
        self, *, outbox: Outbox, sender: NoticeSender, clock: Clock, log: Callable[..., None]
    ) -> None:
        self._outbox = outbox
        self._sender = sender
        self._clock = clock
        self._log = log
        self._forgotten_at_ms = 0

    async def run(self) -> None:
        """Deliver for ever.

        Raises:
            JournalFailed: the outbox cannot be read or written.
        """
        while True:
            if not await self.deliver():
                await asyncio.sleep(LOOK_INTERVAL_MS / 1_000)

    async def deliver(self) -> int:
        """Try what is due, one after the other, and return how many these were."""
        letters = await self._outbox.due(self._clock.now().real_ms)
        sent, given_up, again = 0, 0, 0
        reasons: Counter[str] = Counter()
        for letter in letters:
            try:
                await self._sender.send(letter)
            except AdapterError as error:
                reasons[str(error)] += 1
                state = await self._outbox.not_sent(letter, self._clock.now().real_ms)
                given_up += state is NoticeState.FAILED
                again += state is NoticeState.PENDING
            else:
                await self._outbox.sent(letter.key, self._clock.now().real_ms)
                sent += 1
        if sent:
            self._log("notice.sent", count=sent)
        if reasons:
            reason = reasons.most_common(1)[0][0]
            self._log("notice.failed", count=given_up, again=again, reason=reason)
        await self._forget()
        return len(letters)

    async def _forget(self) -> None:
        now_ms = self._clock.now().real_ms
        if now_ms - self._forgotten_at_ms >= FORGET_INTERVAL_MS:
            self._forgotten_at_ms = now_ms
            await self._outbox.forget_old(now_ms)
