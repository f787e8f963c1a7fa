"""The panel as a person meets it, without a browser: the course, its faults, and its times."""

import pytest

from protocol.codes import ReplyCode
from protocol.kinds import Item, Kind, Options, Scope
from protocol.secret import Secret
from protocol.telegrams import Refused
from protocol.terminal_statements import FailureCause
from terminal_sim.core import effects as out
from terminal_sim.core import records as r
from terminal_sim.customer import Choice
from terminal_sim.kiosk import inputs as into
from terminal_sim.kiosk.inputs import Fault
from terminal_sim.kiosk.state import ALARM_MS, LEAVES_MS, Stage
from tests.kiosk.course import CALL_CENTRE, FEE_YEN, ISSUANCE, VISIT, Course

WRONG = Refused(code=ReplyCode.PIN_WRONG, tries_left=1)


def names_of(course: Course) -> str:
    return course.screen.name


def test_the_whole_course() -> None:
    """Every step has its screen, and the terminal hears the PIN, the choice and the money once."""
    course = Course()
    seen = [names_of(course)]
    for part in (
        course.at_start,
        lambda: course.touch("start"),
        lambda: course.touch("agree"),
        lambda: course.touch("card:h000-m1"),
        course.ask_pin,
        course.type_pin,
        course.menu,
        lambda: course.touch("card-taken"),
        lambda: course.touch("kind:juminhyo"),
        lambda: course.touch("scope:some", "item:domicile", "next"),
        lambda: course.touch("member:2", "next"),
        lambda: course.touch("more", "next"),
        lambda: course.touch("confirm"),
    ):
        part()
        seen.append(names_of(course))

    wanted = (
        "boot start notice card connecting pin checking take-card kinds options members copies "
        "confirm preparing"
    )
    assert wanted.split() == seen
    options = Options(scope=Scope.SOME, members=(2,), items=(Item.DOMICILE,))
    assert [Secret(b"2655"), Choice(kind=Kind.JUMINHYO, options=options, copies=2)] == course.given


def test_from_the_money_to_the_door() -> None:
    """Change, sheets one by one, an unstapled set, the receipt, and another certificate."""
    course = Course().at_money()
    assert "pay" not in course.screen.touches()
    course.touch("yen:100", "yen:500")
    assert "row-change" in course.told
    course.touch("pay")
    assert 600 == course.given[-1]
    course.happen(
        out.HoldMoney(issuance_id=ISSUANCE, amount_yen=FEE_YEN, change_yen=400),
        r.ReleaseGranted(issuance_id=ISSUANCE, at_ms=course.now_ms),
    )
    outs = [course.screen.sheets]
    outs += [course.lay(sheet).screen.sheets for sheet in (1, 2)]
    assert [0, 1, 2] == [sheets.out for sheets in outs if sheets is not None]
    course.happen(r.Printed(issuance_id=ISSUANCE, earned_yen=FEE_YEN, at_ms=course.now_ms))
    assert ["unstapled", "envelopes", "no-refund"] == course.told
    course.menu().touch("paper-taken")
    assert "row-total" in course.told
    course.touch("another")
    assert "kinds" == names_of(course)
    course.touch("cancel")
    assert ("goodbye", None) == (names_of(course), course.given[-1])


def test_several_copies_are_several_sets() -> None:
    """Four sheets of two copies are two sets of two, each valid only whole."""
    course = Course().at_kinds().touch("kind:inkan", "more", "next", "confirm").apply()
    course.quote(sheets=4).touch("yen:1000", "pay").release()
    for sheet in (1, 2, 3, 4):
        course.lay(sheet)
    course.printed()

    assert "copies-unstapled" == course.told[0]
    assert {"copies": 2, "sheets": 2} == course.screen.lines[0].values


def test_electronic_money() -> None:
    """One tap pays exactly the fee; what is not printed goes back to the card."""
    course = Course().at_money().touch("tap")
    assert (FEE_YEN, "releasing") == (course.given[-1], course.screen.name)
    course.happen(r.ReleaseGranted(issuance_id=ISSUANCE, at_ms=course.now_ms))
    course.print_failed(FailureCause.PRINTER)
    assert "returned-e-money" in course.told
    assert "tap" not in Course().at_money().touch("yen:10").screen.touches()


def test_only_what_is_offered_counts() -> None:
    """A touch of another screen, or one that the screen does not offer, changes nothing."""
    course = Course().at_kinds()
    before = course.panel
    for screen, touch in (
        ("pin", "kind:inkan"),
        ("kinds", "pay"),
        ("kinds", "kind:kazei"),
        ("kinds", "kind:"),
        ("kinds", ""),
    ):
        course.feed(into.Touched(screen=screen, touch=touch))

    assert before == course.panel


def test_why_a_kind_is_not_to_be_had() -> None:
    """Each has its reason, and a closed one also says from when."""
    choices = {choice.touch: choice for choice in Course().at_kinds().screen.choices}
    tax, addresses = choices["kind:kazei"], choices["kind:fuhyo"]

    assert (False, False) == (tax.can, addresses.can)
    assert tax.note is not None
    assert "code-3041" == tax.note.key
    assert addresses.note is not None
    assert ("why-opens", "code-3001") == (addresses.note.key, addresses.note.values["why_key"])


def test_the_pad_shows_no_digit_and_is_shuffled_on_request() -> None:
    """Touches name positions; what was typed is counted and nothing more leaves the terminal."""
    course = Course().at_pin()
    course.touch("shuffle")
    assert into.DrawPad() == course.orders[-1]
    course.feed(into.PadDrawn(digits=(9, 8, 7, 6, 5, 4, 3, 2, 1, 0)))
    course.touch("pad:0", "pad:9", "pad:0")
    assert course.screen.pad is not None
    assert 3 == course.screen.pad.typed
    course.touch("erase", "pad:1", "pad:1", "pin-typed")

    assert [Secret(b"9088")] == course.given
    assert () == course.panel.visit.typed
    assert "9088" not in repr(course.orders)


def test_a_warning_before_the_third_wrong_pin() -> None:
    """With one try left it is said what the next mistake costs, and 取消 gives the card back."""
    course = Course().at_pin(WRONG)
    assert ["pin-hint", "code-2002", "last-try"] == course.told
    course.touch("cancel")

    assert [None] == course.given
    assert ("stopped", "card-in-slot") == (names_of(course), course.screen.things[0].kind)
    course.happen(out.ReturnCard(visit_id=VISIT, refusal=WRONG)).touch("card-taken", "home")
    assert "start" == names_of(course)


def test_a_locked_card() -> None:
    """The third wrong PIN has a screen of its own, with the call centre's number and hours."""
    course = Course().at_pin().type_pin()
    locked = Refused(code=ReplyCode.CARD_LOCKED, tries_left=0)
    course.happen(out.ReturnCard(visit_id=VISIT, refusal=locked))

    assert "title-locked" == course.screen.title
    assert ["code-2003", "take-card-back", "contact"] == course.told
    assert CALL_CENTRE == course.screen.lines[-1].values["contact"]


@pytest.mark.parametrize("code", list(ReplyCode))
def test_every_refusal_has_its_sentence(code: ReplyCode) -> None:
    """Whatever the city says to an application, the visit goes on or ends with a way out."""
    course = (
        Course()
        .at_preparing()
        .happen(
            r.Withdrawn(
                issuance_id=ISSUANCE,
                cause=FailureCause.CANCELLED,
                refusal=code,
                returned_yen=0,
                at_ms=1,
            )
        )
    )

    assert f"code-{code.value}" == course.told[0]
    course.menu()
    assert {"another", "finish"} <= set(course.screen.touches())


@pytest.mark.parametrize(
    ("cause", "title"),
    [
        (FailureCause.PRINTER, "title-stopped-printer"),
        (FailureCause.BINDING_MISMATCH, "title-stopped-mismatch"),
        (FailureCause.NO_RELEASE_ANSWER, "title-stopped-no-release"),
    ],
)
def test_a_failed_print(cause: FailureCause, title: str) -> None:
    """The money comes back, what came out is void, and the staff or the call centre helps."""
    course = Course().at_printing().lay(1).print_failed(cause, sheets_out=1)

    assert title == course.screen.title
    assert {"returned", "void-sheets", "contact"} <= set(course.told)
    assert FEE_YEN == course.screen.lines[1].values["fee"]


def test_cancelled_while_it_is_made() -> None:
    """取消 is passed on at once, and the terminal's question for money is answered with none."""
    course = Course().at_preparing().touch("cancel")
    assert into.CancelIssuance() == course.orders[-1]
    assert "cancel" not in course.screen.touches()
    course.feed(into.Asked(question=out.AskForMoney(issuance_id=ISSUANCE, fee_yen=FEE_YEN)))

    assert 0 == course.given[-1]


def test_cancelled_with_money_in_the_slot() -> None:
    """It comes back, and the terminal gets none."""
    course = Course().at_money().touch("yen:500", "cancel")

    assert 0 == course.given[-1]
    assert ["stopped-cancelled", "returned", "contact"] == course.told
    assert 500 == course.screen.lines[1].values["fee"]


@pytest.mark.parametrize("stage", [Stage.PIN, Stage.KINDS, Stage.MONEY])
def test_time_runs_out_after_a_warning(stage: Stage) -> None:
    """A warning comes first; one touch gives the whole time again; without it the visit ends."""
    course = Course()
    {Stage.PIN: course.at_pin, Stage.KINDS: course.at_kinds, Stage.MONEY: course.at_money}[stage]()
    given, limit_ms = len(course.given), LEAVES_MS[stage]
    warns_at_ms = course.screen.warns_at_ms
    assert warns_at_ms is not None
    assert warns_at_ms < course.now_ms + limit_ms
    course.wait(limit_ms - 1).touch("stay").wait(limit_ms - 1)
    assert stage.value == names_of(course)
    course.wait(1)

    assert ("stopped", "title-stopped-time") == (names_of(course), course.screen.title)
    assert 1 == len(course.given) - given


def test_a_visit_ends_on_the_panel_before_it_ends_at_the_city() -> None:
    """However often somebody touches, five minutes are the end, with a warning before."""
    course = Course().at_kinds()
    for _ in range(6):
        course.wait(50_000).touch("stay") if names_of(course) == "kinds" else course.wait(50_000)

    assert "title-stopped-time" == course.screen.title


@pytest.mark.parametrize("thing", ["card", "paper"])
def test_the_alarm_for_what_was_forgotten(thing: str) -> None:
    """It sounds until somebody stops it, and again while the thing still lies there."""
    course = Course()
    if thing == "card":
        course.at_pin().type_pin().menu()
    else:
        course.at_paper()
    course.wait(ALARM_MS)
    assert thing == course.screen.alarm
    course.wait(ALARM_MS)
    assert thing == course.screen.alarm
    assert "" == course.touch("quiet").screen.alarm
    assert thing == course.wait(60_000).screen.alarm
    course.touch("card-taken" if thing == "card" else "paper-taken")
    assert "" == course.screen.alarm


def test_privacy() -> None:
    """What is personal is hidden at a touch: names, and paper lies face down."""
    course = Course().at_kinds().touch("kind:juminhyo", "scope:some", "next")
    assert "優子" in repr(course.screen)
    course.touch("veil")
    assert "優子" not in repr(course.screen)
    printing = Course().at_printing().touch("veil")

    assert printing.screen.sheets is not None
    assert printing.screen.sheets.veiled


def test_the_next_person_finds_nothing_of_the_last() -> None:
    """After the visit only the machine's own matters are known."""
    course = Course().at_paper().menu().touch("veil", "paper-taken", "finish").wait(10_000)

    assert "start" == names_of(course)
    assert Course(now_ms=course.now_ms).at_start().panel.visit == course.panel.visit
    assert not course.panel.veiled


@pytest.mark.parametrize(
    ("fault", "key"),
    [
        (Fault.JAM, "closed-jam"),
        (Fault.TONER, "closed-toner"),
        (Fault.LINE, "closed-line"),
    ],
)
def test_a_machine_with_a_fault_takes_no_card(fault: Fault, key: str) -> None:
    """Nobody pays for what cannot come out; when it is mended the menu is there again."""
    course = Course().at_start().feed(into.FaultTurned(fault=fault, on=True))
    assert ("closed", key) == (names_of(course), course.told[0])
    assert "contact" in course.told
    course.feed(into.FaultTurned(fault=fault, on=False))

    assert "start" == names_of(course)


def test_the_line_is_lost_in_a_visit() -> None:
    """It is said at once; when the terminal gives up, the screen says that nothing was charged."""
    course = Course().at_preparing().feed(into.FaultTurned(fault=Fault.LINE, on=True))
    assert "line-lost" == course.told[0]
    course.happen(
        r.Withdrawn(
            issuance_id=ISSUANCE, cause=FailureCause.CANCELLED, returned_yen=0, at_ms=course.now_ms
        )
    )

    assert "title-stopped-line" == course.screen.title


def test_a_power_cut() -> None:
    """The screen is dark; then it says what became of the money and of what was under way."""
    course = Course().at_printing().lay(1).feed(into.FaultTurned(fault=Fault.PLUG, on=True))
    assert "off" == names_of(course)
    course.feed(into.FaultTurned(fault=Fault.PLUG, on=False))
    assert "boot" == names_of(course)
    course.print_failed(FailureCause.POWER_LOSS, sheets_out=1).at_start()

    assert "title-stopped-power" == course.screen.title
    assert {"returned", "void-sheets", "contact"} <= set(course.told)
    course.touch("home")
    assert "start" == names_of(course)


def test_the_city_does_not_open() -> None:
    """Its reason is shown, and the machine opens as soon as the city does."""
    course = Course().feed(into.OpeningEnded(opened=False, refused=ReplyCode.LINE_STOPPED))
    assert ("closed", "code-5001") == (names_of(course), course.told[0])
    course.at_start()

    assert "start" == names_of(course)
