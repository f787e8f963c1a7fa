"""What the server needs from the world, as small protocols; the adapters fill them."""

import asyncio
from collections.abc import AsyncIterator
from typing import Protocol


class Gateway(Protocol):
    """Carries bytes to and from the terminals; ``protocol.shells.mqtt.MqttGateway`` is one.

    It delivers hints, not guarantees: a message may come twice, late or never.
    """

    @property
    def connected(self) -> asyncio.Event:
        """Set while messages can be carried."""
        ...

    @property
    def incoming(self) -> AsyncIterator[tuple[str, bytes]]:
        """Give ``(topic, payload)`` in order of arrival until ``close``. For one reader."""
        ...

    async def run(self) -> None:
        """Stay connected until ``close`` or cancellation."""
        ...

    async def publish(self, topic: str, payload: bytes) -> None:
        """Hand ``payload`` over.

        Raises:
            AdapterError: it could not be handed over; it may or may not arrive.
        """
        ...

    async def close(self) -> None:
        """Disconnect and end ``incoming``. May be called twice."""
        ...
