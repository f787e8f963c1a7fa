"""The terminal's end of a line: handshakes in measure, requests by name."""

from protocol import codec
from protocol.handshake_port import Role
from protocol.limits import REQUEST_REPEAT_MS
from protocol.line import Line, TelegramReceived
from protocol.telegrams import (
    Acknowledged,
    Cancel,
    EndVisit,
    LineTest,
    LineTested,
    Notice,
    NoticeKind,
    RequestRef,
)
from protocol.terminal_statements import FailureCause
from terminal_sim.core.requests import Request, Step
from terminal_sim.link import HANDSHAKE_INTERVAL_MS, GaveUp, KeysFresh, Link, Noticed, Replied
from tests.protocol.stand_in import CITY, LINE_ID, TERMINAL, server_port, terminal_port
from tests.terminal_sim.world import number

END = Request(Step.END_VISIT, number(1))
QUESTION = EndVisit(visit_id=number(1))


class Pair:
    """A link and the city's end of its line."""

    def __init__(self) -> None:
        self.drawn = 0
        names = {"city": CITY, "terminal": TERMINAL, "line_id": LINE_ID}
        self.link = Link(Line(role=Role.TERMINAL, handshakes=terminal_port(), **names), self.draw)
        self.city = Line(role=Role.SERVER, handshakes=server_port(), **names)

    def draw(self, size: int) -> bytes:
        self.drawn += 1
        return bytes([self.drawn]) * size

    def carry(self, now_ms: int) -> tuple[list[object], list[TelegramReceived]]:
        """Carry messages both ways until there are none; return what came of them."""
        here: list[object] = self.link.wake(now_ms)
        there: list[TelegramReceived] = []
        while up := self.link.messages_to_send():
            for message in up:
                events = self.city.receive(message, now_ms)
                there += [event for event in events if isinstance(event, TelegramReceived)]
            here += self.down(now_ms)
        return here, there

    def down(self, now_ms: int) -> list[object]:
        return [
            event
            for message in self.city.messages_to_send()
            for event in self.link.receive(message, now_ms)
        ]

    def say(self, telegram: object, now_ms: int) -> list[object]:
        self.city.send(codec.encode(telegram))
        return self.down(now_ms)


def opened() -> Pair:
    pair = Pair()
    assert ([KeysFresh()], []) == pair.carry(0)
    return pair


def test_a_link_begins_with_a_handshake() -> None:
    """Every process has keys of its own."""
    pair = Pair()
    assert 0 == pair.link.next_deadline_ms()

    assert [KeysFresh()] == pair.carry(0)[0]
    assert pair.link.ready


def test_a_reply_comes_back_under_the_name_of_its_request() -> None:
    """Matched by copy and digest, never by order."""
    pair = opened()
    pair.link.ask(END, QUESTION, 10, give_up_ms=None)
    _, (asked,) = pair.carry(10)

    answer = Acknowledged(state="ended", in_reply_to=asked.ref)
    assert [Replied(request=END, reply=answer, turn=1)] == pair.say(answer, 11)
    assert [] == pair.say(answer, 12)
    assert 1 == pair.link.counts["late"]


def test_a_forgotten_request_is_not_repeated_and_its_reply_is_late() -> None:
    """Whatever still comes of it is counted and nothing else."""
    pair = opened()
    pair.link.ask(END, QUESTION, 10, give_up_ms=None)
    _, (asked,) = pair.carry(10)
    pair.link.forget(END)

    assert [] == pair.say(Acknowledged(state="ended", in_reply_to=asked.ref), 11)
    assert ([], []) == pair.carry(10 + REQUEST_REPEAT_MS)
    assert 1 == pair.link.counts["late"]


def test_a_reply_to_another_copy_does_not_end_the_request() -> None:
    """The request goes on waiting under its name."""
    pair = opened()
    pair.link.ask(END, QUESTION, 10, give_up_ms=None)
    _, (asked,) = pair.carry(10)
    other = RequestRef(asked.ref.generation, asked.ref.counter + 9, asked.ref.digest)

    assert [] == pair.say(Acknowledged(state="ended", in_reply_to=other), 11)
    answer = Acknowledged(state="ended", in_reply_to=asked.ref)
    assert [Replied(request=END, reply=answer, turn=1)] == pair.say(answer, 12)


def test_what_was_asked_anew_meanwhile_is_not_answered_by_the_reply_before() -> None:
    """A reply that waits for its meaning is not taken for the next asking, and no reply twice."""
    pair = opened()
    pair.link.ask(END, QUESTION, 10, give_up_ms=None)
    _, (asked,) = pair.carry(10)
    (former,) = pair.say(Acknowledged(state="ended", in_reply_to=asked.ref), 11)
    pair.link.forget(END)
    pair.link.ask(END, QUESTION, 12, give_up_ms=None)
    _, (again,) = pair.carry(12)
    (latter,) = pair.say(Acknowledged(state="ended", in_reply_to=again.ref), 13)

    assert isinstance(former, Replied)
    assert isinstance(latter, Replied)
    assert [False, True, False] == [pair.link.take(one) for one in (former, latter, latter)]


def test_a_request_is_given_up_in_its_time() -> None:
    """Repeated until then, and named when it ends."""
    pair = opened()
    pair.link.ask(END, QUESTION, 10, give_up_ms=2_000)
    pair.carry(10)

    assert 1 == len(pair.carry(10 + REQUEST_REPEAT_MS)[1])
    assert [GaveUp(request=END)] == pair.carry(2_010)[0]


def test_a_line_test_is_answered_at_once() -> None:
    """With its nonce, and as the reply to it."""
    pair = opened()
    assert [] == pair.say(LineTest(nonce=7), 5)
    _, (answered,) = pair.carry(5)

    assert isinstance(answered.telegram, LineTested)
    assert 7 == answered.telegram.nonce
    assert answered.telegram.in_reply_to is not None


def test_a_notice_is_told_and_anything_else_unasked_is_counted() -> None:
    """A terminal answers to nothing but line tests."""
    pair = opened()

    notice = Notice(notice=NoticeKind.DRAINING)
    assert [Noticed(notice=NoticeKind.DRAINING)] == pair.say(notice, 5)
    assert [] == pair.say(QUESTION, 6)
    assert 1 == pair.link.counts["unasked"]


def test_lost_keys_lead_to_one_handshake_a_second() -> None:
    """The hint could be forged, so it costs little; afterwards everything is sent again."""
    pair = opened()
    pair.city.forget_keys()
    pair.link.ask(END, QUESTION, 10, give_up_ms=None)
    pair.carry(10)
    assert HANDSHAKE_INTERVAL_MS == pair.link.next_deadline_ms()
    assert [] == pair.carry(20)[0]

    assert [KeysFresh()] == pair.carry(HANDSHAKE_INTERVAL_MS)[0]
    assert 2 == pair.drawn
    pair.link.resend_all(HANDSHAKE_INTERVAL_MS + 1)
    (asked,) = pair.carry(HANDSHAKE_INTERVAL_MS + 1)[1]
    assert QUESTION == asked.telegram


def test_damage_is_dropped_and_counted() -> None:
    """Bytes of nobody change nothing."""
    pair = opened()

    assert [] == pair.link.receive(b"nonsense", 5)
    assert 1 == pair.link.counts["envelope"]


def test_what_fits_no_telegram_is_counted() -> None:
    """The seal opens, the content is nothing that we know."""
    pair = opened()
    pair.city.send(bytes(512))

    assert [] == pair.down(5)
    assert 1 == pair.link.counts["malformed"]


def test_requests_wait_for_the_first_keys() -> None:
    """Asked before the handshake, sent after it."""
    pair = Pair()
    cancel = Cancel(issuance_id=number(1), cause=FailureCause.CANCELLED)
    pair.link.ask(Request(Step.CANCEL, number(1)), cancel, 0, give_up_ms=None)
    assert [] == pair.carry(0)[1]

    pair.link.resend_all(1)
    assert 1 == len(pair.carry(1)[1])
