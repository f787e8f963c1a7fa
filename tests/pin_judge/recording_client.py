"""A process that tries PINs and unlocks cards, and records what it was answered, and when.

It is told its work as JSON on standard input, asks through a Unix socket, and adds two lines
of JSON to its record for each operation, before and after. It may be killed at any moment.
"""

import json
import os
import socket
import sys
import time
from pathlib import Path
from random import Random
from typing import Any

from issuance_server.adapters.frames import Frame
from issuance_server.adapters.frames import encode as frame_bytes
from issuance_server.adapters.pin_judge import wire
from issuance_server.core.pin_policy import PinAttempt
from keys.operators import Operator
from keys.signing import SigningKey
from protocol.secret import Secret
from tests.pin_judge.judge_bench import RIGHT_PIN, WRONG_PIN, Card, answered

WRONG_SHARE = 0.65
UNLOCK_SHARE = 0.04
UNLOCK_LOCKED_SHARE = 0.3
ASK_AGAIN_SHARE = 0.6
ACT_VALID_MS = 600_000

_LENGTH_BYTES = 4


class Client:
    """One client at work."""

    def __init__(self, work: dict[str, Any]) -> None:
        self.name = work["name"]
        self.random = Random(work["seed"])
        self.sealing_key = bytes.fromhex(work["sealing_key"])
        self.cards = [
            Card(number=bytes.fromhex(number), key=key_of(seed), card_ref=card_ref)
            for number, seed, card_ref in work["cards"]
        ]
        self.operators = [Operator(name, key_of(seed)) for name, seed in work["operators"]]
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        self.record = os.open(work["record"], flags, 0o600)
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(work["socket"])
        self.stream = self.socket.makefile("rb")
        self.unlocks = work["unlocks"]
        self.operations = 0

    def work(self, groups: list[list[int]], each: int) -> None:
        """Do so many operations on the cards of each group, one group after the other."""
        for group in groups:
            for _ in range(each):
                index = self.random.choice(group)
                share = UNLOCK_SHARE
                if self.try_pin(index) == "locked":
                    share = UNLOCK_LOCKED_SHARE
                if self.unlocks and self.random.random() < share:
                    self.unlock(index)

    def try_pin(self, index: int) -> str:
        """Try a PIN in a visit of its own, at a terminal of its own, so that none is frozen."""
        right = self.random.random() >= WRONG_SHARE
        self.operations += 1
        terminal, visit_id = f"{self.name}-{self.operations}", self.random.randbytes(16)
        ask = wire.AskChallenge(terminal=terminal, visit_id=visit_id, attempt=1)
        while not isinstance(given := self.ask(ask), wire.ChallengeIs):
            pass  # the judge died; the next question waits for its successor
        asked: PinAttempt = answered(
            self.cards[index],
            RIGHT_PIN if right else WRONG_PIN,
            sealing_key=self.sealing_key,
            challenge=given.challenge,
            visit_id=visit_id,
            terminal=terminal,
        )
        self.begins(index, right)
        answer = self.answer(wire.AskVerdict(asked=asked))
        if not isinstance(answer, wire.VerdictIs):
            return "unknown"
        verdict = answer.signed.verdict
        self.ended(verdict.outcome.value, verdict.tries_left)
        return verdict.outcome.value

    def unlock(self, index: int) -> None:
        """Have two operators unlock a card."""
        self.operations += 1
        said: dict[str, Any] = {
            "act": "card.unlock",
            "subject": self.cards[index].card_ref,
            "reason": "came to the counter",
            "nonce": self.random.randbytes(16),
            "expires_at_ms": time.time_ns() // 1_000_000 + ACT_VALID_MS,
        }
        first, second = (one.sign(**said) for one in self.operators)
        self.begins(index, None)
        answer = self.answer(wire.AskCounter(signed=first, second=second))
        if isinstance(answer, wire.ActDone):
            self.ended("unlocked", None)
        elif isinstance(answer, wire.ActRefused):  # pending; or it was done, and is asked again
            assert "being checked" in answer.reason or "done before" in answer.reason
            self.ended("busy" if "being checked" in answer.reason else "unlocked", None)

    def answer(self, request: wire.Request) -> wire.Answer | None:
        """Ask, and often again, if the judge died; None if that is left open."""
        while (answer := self.ask(request)) is None:
            if self.random.random() >= ASK_AGAIN_SHARE:
                return None
        return answer

    def ask(self, request: wire.Request) -> wire.Answer | None:
        """Ask once."""
        self.socket.sendall(frame_bytes(Frame(request_id=1, body=wire.encode(request))))
        length = int.from_bytes(self.stream.read(_LENGTH_BYTES))
        body = self.stream.read(length)
        return wire.decode_answer(body) if body else None

    def begins(self, index: int, right: bool | None) -> None:
        """Record that an operation is about to be asked."""
        self.write({"card": index, "right": right, "began_ns": time.monotonic_ns()})

    def ended(self, outcome: str, tries_left: int | None) -> None:
        """Record an answer."""
        self.write({"outcome": outcome, "tries_left": tries_left, "ended_ns": time.monotonic_ns()})

    def write(self, line: dict[str, Any]) -> None:
        """Add a line in one write."""
        os.write(self.record, json.dumps(line | {"operation": self.operations}).encode() + b"\n")


def key_of(seed: str) -> SigningKey:
    """Return a key from its seed in hexadecimal."""
    return SigningKey.from_seed(Secret(bytes.fromhex(seed)))


if __name__ == "__main__":
    told = json.load(sys.stdin)
    Path(told["record"]).parent.mkdir(exist_ok=True)
    Client(told).work(told["groups"], told["each"])
