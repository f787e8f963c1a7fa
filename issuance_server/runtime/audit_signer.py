"""Signs the audit tree, and shows terminals what is signed, so that they can witness it."""

from collections.abc import Callable
from typing import TypeAlias

from msgspec import structs

from issuance_server.core.effects import Reply
from issuance_server.ports import Clock, Sign, Store
from protocol.errors import AdapterError, JournalFailed, KeyManagementError
from protocol.telegrams import AnyTelegram, Closed, Opened, RequestRef

Say: TypeAlias = Callable[[str, RequestRef, AnyTelegram], None]
"""Answers one copy of a terminal's request."""


class AuditSigner:
    """The one that asks the store for checkpoints."""

    def __init__(self, *, city: str, store: Store, clock: Clock, sign: Sign) -> None:
        """Prepare.

        Args:
            city: municipality code, 6 digits.
            store: has the audit tree.
            clock: dates the checkpoints.
            sign: signs them.
        """
        self._city = city
        self._store = store
        self._clock = clock
        self._sign = sign

    async def sign(self) -> None:
        """Sign the audit tree as it stands, if it has grown.

        Raises:
            JournalFailed: the checkpoint could not be written.
        """
        at_ms = self._clock.now().real_ms
        await self._store.sign_tree(city=self._city, at_ms=at_ms, sign=self._sign)

    async def try_to_sign(self) -> bool:
        """Sign likewise; tell whether the tree is signed, or its key was out of reach.

        Raises:
            JournalFailed: the checkpoint could not be written.
        """
        try:
            await self.sign()
        except JournalFailed:
            raise
        except (AdapterError, KeyManagementError, OSError):
            return False  # tried again within a second; ``evidence_watch`` misses it if it lasts
        return True

    async def prepare(self) -> None:
        """Read the journal for proofs once, so that the first terminal need not wait for it."""
        await self._store.shown_checkpoint(1)

    async def answer(self, reply: Reply, say: Say) -> None:
        """Answer an opening or a closing, with the checkpoint that covers it (TP-121).

        It is signed first: what the terminal takes away then has what its own request recorded.

        Raises:
            JournalFailed: the checkpoint could not be written.
        """
        answer = reply.telegram
        await self.try_to_sign()
        shown = await self._store.shown_checkpoint(reply.witnessed or 0)
        if shown is not None and isinstance(answer, Opened | Closed):
            answer = structs.replace(answer, checkpoint=shown.checkpoint, proof=shown.proof)
        say(reply.terminal, reply.ref, answer)
