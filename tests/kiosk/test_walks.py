"""Whatever is touched and whatever happens: every screen is worded, and no question stays open."""

from hypothesis import given
from hypothesis import strategies as st

from protocol.codes import ReplyCode
from protocol.telegrams import Refused
from protocol.terminal_statements import FailureCause
from terminal_sim.core import effects as out
from terminal_sim.core import records as r
from terminal_sim.kiosk import inputs as into
from terminal_sim.kiosk.inputs import Fault
from terminal_sim.kiosk.screens import Line
from terminal_sim.kiosk.state import Asking
from terminal_sim.kiosk.words import table
from tests.kiosk.course import FEE_YEN, ISSUANCE, VISIT, Course

STEPS = st.lists(st.integers(0, 10_000), min_size=10, max_size=60)


@given(STEPS)
def test_walks(steps: list[int]) -> None:
    """From the menu on, by touches and by what a terminal does in any order."""
    course = Course().at_start()
    asked = 0
    for number in steps:
        touches = sorted(course.screen.touches())
        happenings = the_terminal_may(course)
        if touches and number % 10 < 6:
            course.touch(touches[number // 10 % len(touches)])
        elif number % 10 == 6:
            course.wait(20_000)
        else:
            happening = happenings[number // 10 % len(happenings)]
            asked += isinstance(happening, into.Asked)
            course.feed(happening)
        every_key_is_worded(course)
        waiting = course.panel.asking is not Asking.NOTHING
        assert len(course.given) <= asked
        assert not waiting or len(course.given) < asked


def the_terminal_may(course: Course) -> list[into.Input]:
    """Return what a terminal could do now; it asks one question at a time."""
    at_ms = course.now_ms
    happened: list[into.Input] = [
        into.Happened(happened=one)
        for one in (
            r.ReleaseGranted(issuance_id=ISSUANCE, at_ms=at_ms),
            r.SheetLaid(issuance_id=ISSUANCE, sheet=1, at_ms=at_ms),
            r.Printed(issuance_id=ISSUANCE, earned_yen=FEE_YEN, at_ms=at_ms),
            r.Withdrawn(
                issuance_id=ISSUANCE, cause=FailureCause.CANCELLED, returned_yen=0, at_ms=at_ms
            ),
            out.ReturnCard(visit_id=VISIT, refusal=Refused(code=ReplyCode.OUT_OF_HOURS)),
        )
    ]
    happened += [into.FaultTurned(fault=fault, on=at_ms % 2 == 0) for fault in Fault]
    happened.append(into.OpeningEnded(opened=at_ms % 2 == 0))
    if course.panel.asking is Asking.NOTHING:
        wrong = Refused(code=ReplyCode.PIN_WRONG, tries_left=2)
        happened += [
            into.Asked(question=out.AskForPin(visit_id=VISIT, attempt=1, refusal=wrong)),
            into.Asked(question=out.AskForMoney(issuance_id=ISSUANCE, fee_yen=FEE_YEN)),
        ]
    return happened


def every_key_is_worded(course: Course) -> None:
    """See that the tables have all that the screen says."""
    screen, words = course.screen, table("ja")
    lines = [*screen.lines, *(one.note for one in screen.choices if one.note is not None)]
    lines += [Line(choice.key, choice.values) for choice in screen.choices]
    keys = {screen.title, *(line.key for line in lines)}
    keys |= {str(value) for line in lines for name, value in line.values.items() if "_key" in name}

    assert set() == keys - words.keys()
