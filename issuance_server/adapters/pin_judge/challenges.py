"""The challenges that are out: in memory only, each for one attempt, each good once."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from issuance_server.core.pin_policy import (
    CHALLENGE_VALID_MS,
    CHALLENGES_OUTSTANDING_MAX,
    CHALLENGES_PER_TERMINAL_MAX,
)
from protocol.limits import CHALLENGE_BYTES

AttemptKey: TypeAlias = tuple[str, bytes, int]
"""Terminal, visit id, attempt number: what a challenge and a verdict belong to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Outstanding:
    challenge: bytes
    expires_ms: int


class Challenges:
    """A bounded table of challenges, oldest first.

    A restart forgets all of them: an attempt that was answered to one of these is then expired,
    and nothing was counted.
    """

    def __init__(self, random_bytes: Callable[[int], bytes]) -> None:
        self._random_bytes = random_bytes
        self._outstanding: OrderedDict[AttemptKey, _Outstanding] = OrderedDict()
        self._by_terminal: dict[str, OrderedDict[AttemptKey, None]] = {}

    def give(self, key: AttemptKey, now_ms: int) -> bytes | None:
        """Return the challenge of an attempt, the same one until it is taken or expires.

        Args:
            key: the attempt.
            now_ms: a clock that never goes back, in milliseconds.

        Returns:
            32 bytes; None when ``CHALLENGES_OUTSTANDING_MAX`` are out.
        """
        self._drop_expired(now_ms)
        found = self._outstanding.get(key)
        if found is not None:
            return found.challenge
        self._make_room_for(key[0])
        if len(self._outstanding) >= CHALLENGES_OUTSTANDING_MAX:
            return None
        challenge = self._random_bytes(CHALLENGE_BYTES)
        self._outstanding[key] = _Outstanding(
            challenge=challenge, expires_ms=now_ms + CHALLENGE_VALID_MS
        )
        self._by_terminal.setdefault(key[0], OrderedDict())[key] = None
        return challenge

    def take(self, key: AttemptKey, now_ms: int) -> bytes | None:
        """Return the challenge of an attempt for the only time; None when there is none."""
        self._drop_expired(now_ms)
        return self._drop(key) if key in self._outstanding else None

    def __len__(self) -> int:
        return len(self._outstanding)

    def _make_room_for(self, terminal: str) -> None:
        own = self._by_terminal.get(terminal, OrderedDict())
        while len(own) >= CHALLENGES_PER_TERMINAL_MAX:
            self._drop(next(iter(own)))

    def _drop_expired(self, now_ms: int) -> None:
        while self._outstanding:
            key, oldest = next(iter(self._outstanding.items()))
            if oldest.expires_ms > now_ms:
                return
            self._drop(key)

    def _drop(self, key: AttemptKey) -> bytes:
        own = self._by_terminal[key[0]]
        del own[key]
        if not own:
            del self._by_terminal[key[0]]
        return self._outstanding.pop(key).challenge
