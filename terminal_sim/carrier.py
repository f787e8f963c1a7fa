"""What carries a machine's messages."""

import asyncio
from collections.abc import AsyncIterator
from typing import Protocol


class Carrier(Protocol):
    """What carries messages: MQTT, or memory."""

    connected: asyncio.Event

    async def run(self) -> None:
        """Stay connected."""
        ...

    async def publish(self, topic: str, payload: bytes) -> None:
        """Send, and wait for the carrier's acknowledgement.

        Raises:
            AdapterError: it may or may not have been delivered.
        """
        ...

    @property
    def incoming(self) -> AsyncIterator[tuple[str, bytes]]:
        """Give what arrives."""
        ...

    async def close(self) -> None:
        """Disconnect."""
        ...
