"""Suppressions as acts: signed, looked at closely, recorded, and listed."""

from datetime import date
from typing import Any

import msgspec
import pytest

from issuance_server.adapters.sqlite.suppressions import setting
from issuance_server.control import wire
from issuance_server.control.suppression_acts import addition_subject
from issuance_server.core import records as r
from issuance_server.core.suppression import (
    SubjectKind,
    Suppression,
    SuppressionLevel,
    SuppressionOrigin,
    SuppressionReason,
)
from protocol.errors import KeyManagementError
from tests.adapters.city_file import HOLDER_ID, HOUSEHOLDS
from tests.commands.scene import Scene, signed

SUPPRESSION = "0123456789abcdef"
_nonces = iter(range(1_000))


def adding(signed_for: wire.AddedSuppression | None = None, **changes: Any) -> wire.Act:
    """Return a signed act that sets a suppression."""
    usual: dict[str, Any] = {
        "suppression_id": SUPPRESSION,
        "subject_kind": SubjectKind.PERSON,
        "subject_id": HOLDER_ID,
        "why": SuppressionReason.SUPPORT,
        "level": SuppressionLevel.ERROR,
    }
    added = wire.AddedSuppression(**(usual | changes))
    act = signed(
        act=wire.ACT_SUPPRESSION_ADD,
        subject=addition_subject(signed_for or added),
        second=None,
        nonce=next(_nonces).to_bytes(16),
    )
    return wire.Act(signed=act.signed, brought=added)


def lifting(suppression: str = SUPPRESSION) -> wire.Act:
    """Return a signed act that lifts one."""
    return signed(
        act=wire.ACT_SUPPRESSION_LIFT, subject=suppression, nonce=next(_nonces).to_bytes(16)
    )


async def listed(scene: Scene) -> list[str]:
    """Return the ids of those in force."""
    answer = await scene.ask(wire.ListSuppressions())
    assert isinstance(answer, wire.Suppressions)
    return [row.suppression for row in answer.rows]


async def refused(scene: Scene, act: wire.Act, text: str) -> None:
    """The act is refused in these words and changes nothing."""
    before, rows = scene.city.records(), scene.city.rows("SELECT * FROM suppression")
    with pytest.raises(KeyManagementError, match=text):
        await scene.ask(act)

    assert before == scene.city.records()
    assert rows == scene.city.rows("SELECT * FROM suppression")
    event, fields = scene.logged[-1]
    assert ("control.act_refused", "check") == (event, fields["reason"])
    assert not isinstance(act.brought, wire.AddedSuppression) or (
        act.brought.subject_id not in repr(scene.logged)
    )


async def test_suppression_is_set_listed_and_lifted(scene: Scene) -> None:
    """The audit trail has who, why and whom; the log has neither whom nor why."""
    day = date(2027, 3, 31)
    assert wire.Done() == await scene.ask(adding(until=day, level=SuppressionLevel.ALERT))
    acted, suppressed, _ = scene.city.records()

    assert isinstance(acted, r.OperatorActed)
    assert ("mado-1", "suppression.add") == (acted.operator, acted.act)
    assert isinstance(suppressed, r.SuppressionSet)
    assert (HOLDER_ID, SuppressionReason.SUPPORT, "2027-03-31") == (
        suppressed.subject_id,
        suppressed.reason,
        suppressed.until_day,
    )
    assert [SUPPRESSION] == await listed(scene)
    assert wire.Done() == await scene.ask(lifting())
    assert isinstance(scene.city.records()[4], r.SuppressionLifted)
    assert [] == await listed(scene)
    assert HOLDER_ID not in str(scene.logged)
    assert "support" not in str(scene.logged)


async def test_suppression_is_set_by_one_and_lifted_by_two(scene: Scene) -> None:
    """The act of one operator is refused before anything is recorded; both are on record."""
    assert wire.Done() == await scene.ask(adding())
    with pytest.raises(KeyManagementError, match="takes two operators"):
        await scene.ask(wire.Act(signed=lifting().signed))
    assert [SUPPRESSION] == await listed(scene)
    assert wire.Done() == await scene.ask(lifting())
    acted = scene.city.records()[3]

    assert isinstance(acted, r.OperatorActed)
    assert ("mado-1", "mado-2") == (acted.operator, acted.second)


async def test_household_is_suppressed(scene: Scene) -> None:
    """By its own number."""
    household = HOUSEHOLDS[0].household_id
    of_household = adding(subject_kind=SubjectKind.HOUSEHOLD, subject_id=household)
    assert wire.Done() == await scene.ask(of_household)

    assert [(None, household)] == scene.city.rows(
        "SELECT resident_id, household_id FROM suppression"
    )


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"subject_id": "10000010"}, "the check digit is wrong"),
        ({"subject_id": "99999999"}, "the check digit is wrong"),
        ({"subject_id": "10000009"}, "the register copy has no resident 10000009"),
        ({"subject_kind": SubjectKind.HOUSEHOLD}, "the register copy has no household"),
        ({"until": date(2026, 11, 29)}, "leave --until out"),
    ],
)
async def test_mistake_is_refused(scene: Scene, changes: dict[str, Any], text: str) -> None:
    """A wrong number would protect nobody, so it is not taken."""
    await refused(scene, adding(**changes), text)


async def test_what_was_signed_is_what_is_set(scene: Scene) -> None:
    """Nobody turns a signed suppression into another one on the way."""
    of_other = adding(subject_id=HOUSEHOLDS[0].members[1].resident_id).brought
    assert isinstance(of_other, wire.AddedSuppression)

    await refused(scene, adding(signed_for=of_other), "signed this act for something else")
    without = wire.Act(signed=adding().signed)
    await refused(scene, without, "without what belongs to it")
    await refused(scene, msgspec.structs.replace(lifting(), brought=of_other), "without what")


async def test_number_is_used_once(scene: Scene) -> None:
    """A second suppression under the same number would take the place of the first."""
    assert wire.Done() == await scene.ask(adding())

    await refused(scene, adding(why=SuppressionReason.OTHER), "there is a suppression")


async def test_only_what_is_in_force_is_lifted(scene: Scene) -> None:
    """And what came with the register is lifted where it was set."""
    await refused(scene, lifting(), "no suppression 0123456789abcdef is in force")
    sql, values = setting(
        Suppression(
            suppression_id=SUPPRESSION,
            subject_kind=SubjectKind.PERSON,
            subject_id=HOLDER_ID,
            reason=SuppressionReason.SUPPORT,
            origin=SuppressionOrigin.REGISTER,
        )
    )
    scene.city.change(sql, *values)

    await refused(scene, lifting(), "came from the resident system")
