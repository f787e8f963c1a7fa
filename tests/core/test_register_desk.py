"""What operators change of the copy, in the switch: recorded, asked for, told, and nothing more."""

import pytest

from issuance_server.core import effects as e
from issuance_server.core import inputs as i
from issuance_server.core import records as r
from issuance_server.core import register_feed as f
from issuance_server.core.copy_changes import NewExtract, StandIn, StandInOver, staged_by
from issuance_server.core.register_extract import Counts
from issuance_server.sample.residents import sample_households
from tests.core.changes import beats, change, edit, suppression
from tests.core.desk import Desk
from tests.core.made import START_REAL_MS

A = sample_households()[0]
EXTRACT = NewExtract(
    staged="/data/stage",
    file_digest=b"d" * 32,
    counts=Counts(households=3, residents=7),
    sequence=9,
    as_of_ms=START_REAL_MS,
)


def give(desk: Desk, change_: i.Change) -> list[e.Effect]:
    """Give an act that was checked."""
    act = i.ActAccepted(
        operator="mado-1",
        act="register",
        subject="1-1",
        reason="regular",
        nonce=b"n" * 16,
        change=change_,
    )
    return desk.give(act)


def fed(*changes: f.AnyChange, skipped: int = 0) -> f.Placed:
    """Return a batch that was checked."""
    return f.Placed(changes=changes, skipped=skipped)


@pytest.mark.parametrize(
    ("given", "records", "events"),
    [
        (EXTRACT, [r.RegisterImported], ["register.imported"]),
        (fed(*beats(1, 2)), [r.RegisterFed], ["register.fed"]),
        (fed(skipped=3), [], ["register.fed"]),
        (
            fed(edit(f.EditBegun, 1, A.head_id), edit(f.EditEnded, 2, A.head_id)),
            [r.RegisterFed],
            ["register.edit_begun", "register.edit_ended", "register.fed"],
        ),
        (
            fed(change(f.SuppressionNoted, 1, suppression=suppression("7", A.head_id))),
            [r.SuppressionSet, r.RegisterFed],
            ["register.fed"],
        ),
        (
            fed(change(f.SuppressionEnded, 1, suppression_id="7")),
            [r.SuppressionLifted, r.RegisterFed],
            ["register.fed"],
        ),
        (
            fed(change(f.SuppressionEnded, 1, suppression_id="7", for_a_time=True)),
            [r.RegisterFed],
            ["register.fed"],
        ),
        (f.Gap(expected=3, found=5), [r.RegisterGapFound], ["register.feed_gap"]),
        (StandIn(until_ms=START_REAL_MS + 1), [r.StandInBegun], ["register.stand_in_begun"]),
        (StandInOver(), [r.StandInEnded], ["register.stand_in_ended"]),
    ],
)
def test_act_is_recorded_between_who_wanted_it_and_what_came_of_it(
    given: i.Change, records: list[type[r.Record]], events: list[str]
) -> None:
    """Every event is one of the catalogue, and none of the records knows a name."""
    desk = Desk()
    effects = give(desk, given)

    assert [r.OperatorActed, *records, r.OperatorActEnded] == [type(one) for one in desk.records]
    assert events == [one.event for one in effects if isinstance(one, e.Log)]
    gap = isinstance(given, f.Gap)
    outcome = r.ActOutcome.REFUSED if gap else r.ActOutcome.DONE
    assert outcome is desk.records[-1].outcome  # type: ignore[union-attr]  # the last one has it


def test_content_of_changes_goes_into_the_copy_alone() -> None:
    """As an effect of the same transaction, never as a record."""
    put = change(f.HouseholdsChanged, 1, put=(A,))
    desk = Desk()
    effects = give(desk, fed(put))

    assert [e.ChangeCopy(changes=(put,))] == [
        one for one in effects if isinstance(one, e.ChangeCopy)
    ]
    packed = b"".join(r.encode_record(one) for one in desk.records)
    assert A.head.name.encode() not in packed
    assert A.head_id.encode() not in packed


def test_extract_is_taken_from_its_stage() -> None:
    """Whoever writes attaches the file that the change names; nothing else has one."""
    assert "/data/stage" == staged_by(EXTRACT)
    assert staged_by(fed()) is None
    assert [e.TakeExtract()] == [
        one for one in give(Desk(), EXTRACT) if isinstance(one, e.TakeExtract)
    ]
