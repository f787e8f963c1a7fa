"""The table of requests and replies is the specification's, and complete."""

import re
from pathlib import Path
from typing import get_args

import pytest

from protocol.handshake_port import Role
from protocol.requests import REQUESTS, requests_answered_by
from protocol.telegrams import AnyTelegram, LineTest, Notice, Refused, Telegram
from tests.protocol.samples import SAMPLES

SPEC = (Path(__file__).parents[2] / "protocol" / "SPEC.md").read_text(encoding="utf-8")
KINDS: tuple[type[Telegram], ...] = get_args(AnyTelegram)


def name_of(kind: type[Telegram]) -> str:
    """Return the kind's name on the wire."""
    return str(kind.__struct_config__.tag)


@pytest.mark.parametrize("kind", KINDS, ids=name_of)
def test_replies_are_those_of_the_specification(kind: type[Telegram]) -> None:
    """A section says "Replies:" if its telegram is a request, and names the same ones in order."""
    section = SPEC.split(f"\n### `{name_of(kind)}`\n")[1].split("\n#")[0]
    said = re.search(r"Replies:\s([^.]*)\.", section)

    assert (kind in REQUESTS) == (said is not None)
    if said is not None:
        replies = [name_of(reply) for reply in REQUESTS[kind].replies]
        assert re.findall(r"`([a-z-]+)`", said[1]) == replies


def test_every_telegram_either_asks_or_answers() -> None:
    """None does both, and none does neither."""
    asking = [kind for kind in KINDS if kind in REQUESTS]
    answering = [kind for kind in KINDS if requests_answered_by(kind)]

    assert list(REQUESTS) == asking
    assert [] == [kind for kind in KINDS if (kind in asking) == (kind in answering)]


def test_replies_name_their_request() -> None:
    """A sample of a reply carries ``in_reply_to``, one of a request does not."""
    for sample in SAMPLES:
        assert (type(sample) in REQUESTS) == (sample.in_reply_to is None)


def test_a_refusal_answers_what_a_terminal_asks_for() -> None:
    """Every request of a terminal alone may be refused; a line test and a notice are not."""
    assert tuple(k for k in REQUESTS if k not in {LineTest, Notice}) == requests_answered_by(
        Refused
    )
    assert (Role.SERVER,) == REQUESTS[Notice].askers
    assert set(Role) == set(REQUESTS[LineTest].askers)
