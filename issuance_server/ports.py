"""What the server needs from the world, as small protocols; the adapters fill them."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Protocol, TypeAlias

from issuance_server.certificates.order import CertificateOrder, Rendered
from issuance_server.core.facts import Now
from issuance_server.core.notices import Letter
from issuance_server.core.pin_policy import AnyAttempt, JudgeEvent, Verdict
from protocol.secret import Secret

Sign: TypeAlias = Callable[[bytes], bytes]
"""Signs a statement with Ed25519; the key stays with whoever made the function."""


class Clock(Protocol):
    """The two times of the city."""

    def now(self) -> Now:
        """Return real and business time."""
        ...


class Entropy(Protocol):
    """Where random bytes come from."""

    def draw(self, count: int) -> Secret:
        """Return so many random bytes."""
        ...


class PinJudge(Protocol):
    """Judges PINs in a process of its own; there is no way to compare without counting."""

    async def challenge(self, terminal: str, visit_id: bytes, attempt: int) -> bytes | None:
        """Return a fresh challenge for one attempt; None if it was used already.

        Raises:
            AdapterError: the judge is out of reach.
        """
        ...

    async def judge(self, attempt: AnyAttempt) -> Verdict:
        """Return the verdict, its signature checked.

        Raises:
            AdapterError: the judge is out of reach, or its answer is not to this attempt.
        """
        ...

    async def collect_events(self) -> list[JudgeEvent]:
        """Return what happened to cards since the last call.

        Raises:
            AdapterError: the judge is out of reach.
        """
        ...


class Renderer(Protocol):
    """Makes certificates."""

    async def render(self, order: CertificateOrder) -> Rendered:
        """Return the document.

        Raises:
            CertificateRefused: the record cannot be printed.
            AdapterError: the renderer is out of reach or too slow.
        """
        ...


class NoticeSender(Protocol):
    """A way for notices to leave (本人通知)."""

    async def send(self, letter: Letter) -> None:
        """Hand a notice over; when this returns, somebody else has it for good.

        Raises:
            AdapterError: nobody has, or nobody knows; the text is a word without anything personal.
        """
        ...


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
