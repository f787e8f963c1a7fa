"""A line with a tap: both ends tell the same conversation."""

from msgspec.structs import astuple

from protocol import codec
from protocol.exchange import Exchange
from protocol.handshake_port import Role
from protocol.limits import HANDSHAKE_MS_MAX
from protocol.telegrams import AnyTelegram, LineTest
from protocol.trace.entries import LineWord, Way
from protocol.trace.traced_line import Copy, TracedLine, Whose
from tests.protocol.pair import Pair
from tests.protocol.stand_in import CITY, LINE_ID, TERMINAL, server_port, terminal_port


class Listener:
    """Keeps what it is told."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.copies: list[tuple[Copy, AnyTelegram]] = []
        self.words: list[tuple[LineWord, str]] = []

    def said(self, copy: Copy, telegram: AnyTelegram) -> None:
        """Keep a telegram."""
        self.copies.append((copy, telegram))

    def happened(self, whose: Whose, word: LineWord, generation: int | None, reason: str) -> None:
        """Keep a word."""
        assert (LINE_ID, TERMINAL) == (whose.line_id, whose.terminal)
        assert (generation is None) == (word is LineWord.DROPPED)
        self.words.append((word, reason))


def listened() -> tuple[Pair, Listener, Listener]:
    """Return two ends that are open, and who listens at the terminal's and the server's."""
    pair = Pair()
    listeners = Listener(), Listener()
    pair.terminal, pair.server = (
        TracedLine.tapped_by(
            tap, role=role, city=CITY, terminal=TERMINAL, line_id=LINE_ID, handshakes=port
        )
        for tap, role, port in zip(
            listeners,
            (Role.TERMINAL, Role.SERVER),
            (terminal_port(), server_port()),
            strict=True,
        )
    )
    pair.exchange = Exchange(pair.terminal)
    pair.open()
    return pair, *listeners


def test_both_ends_tell_the_same_conversation() -> None:
    """Way, name of the copy, digest and length are the same at the one that sends and the other."""
    pair, terminal, server = listened()
    pair.exchange.ask(LineTest(nonce=7), 10)
    pair.carry(10)

    assert [(LineWord.READY, "")] == terminal.words == server.words
    assert [Way.UP, Way.DOWN] == [copy.way for copy, _ in terminal.copies]
    assert terminal.copies == server.copies
    (asked, _), (answered, telegram) = terminal.copies
    assert telegram.in_reply_to is not None
    assert (*asked.name, asked.digest) == astuple(telegram.in_reply_to)
    assert [len(message) for _, message in pair.passed[-2:]] == [
        asked.envelope_bytes,
        answered.envelope_bytes,
    ]


def test_what_goes_wrong_is_told_as_well() -> None:
    """A damaged envelope, a telegram of no table, and keys that are thrown away."""
    pair, terminal, server = listened()
    pair.server.receive(b"noise", 10)
    pair.terminal.send(codec.encode(LineTest(nonce=1)).replace(b"line-test", b"line-tost"))
    (message,) = pair.terminal.messages_to_send()
    pair.server.receive(message, 10)
    pair.server.forget_keys()
    pair.server.forget_keys()

    assert (LineWord.MALFORMED, "$.telegram") == terminal.words[-1]
    assert ["dropped", "malformed", "closed"] == [word.value for word, _ in server.words[1:]]
    assert ["envelope", "$.telegram", ""] == [reason for _, reason in server.words[1:]]


def test_a_handshake_that_nobody_answers_is_told() -> None:
    """What is given up by itself is a word, too."""
    pair, terminal, _ = listened()
    pair.start_handshake(20)
    pair.terminal.messages_to_send()
    pair.terminal.wake(20 + HANDSHAKE_MS_MAX)

    assert (LineWord.DROPPED, "handshake-timed-out") == terminal.words[-1]
