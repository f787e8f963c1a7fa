"""A full extract staged beside the city's file, and swapped in within one transaction."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec
import pytest

from issuance_server.adapters.sqlite.register_stage import (
    new_stage,
    remove_left,
    remove_stages,
    stage_path,
    taken,
)
from issuance_server.core import inputs as i
from issuance_server.core import records as r
from issuance_server.core.copy_changes import NewExtract
from issuance_server.core.record_faults import Fault
from issuance_server.core.record_holders import record_key
from issuance_server.core.register_extract import (
    Content,
    Counts,
    EditLine,
    HouseholdLine,
    RecordLine,
    SuppressionLine,
)
from issuance_server.core.suppression import SubjectKind
from protocol.errors import JournalFailed, SetUpError
from protocol.kinds import Kind
from tests.adapters.city_file import HOLDER_ID, HOUSEHOLDS, RECORDS, CityFile
from tests.core.changes import remarked, suppression
from tests.core.made import START_REAL_MS

A, B, C = HOUSEHOLDS
ONCE = tuple({record_key(one): one for one in RECORDS.values()}.values())
SAME: tuple[Content, ...] = (
    *(HouseholdLine(household=household) for household in HOUSEHOLDS),
    *(RecordLine(record=record) for record in ONCE),
)
VERSIONS = "SELECT household_id, version FROM household ORDER BY 1"
RECORD_VERSIONS = "SELECT record_key, version FROM register_record ORDER BY 1"
HOLDERS = (
    "SELECT h.resident_id, h.kind, o.record_key FROM register_record_holder h"
    " JOIN register_record o USING (record_id) ORDER BY 1, 2"
)


def stage(path: Path, contents: Iterable[Content]) -> list[Fault]:
    """Stage lines and return the faults of those that were there already."""
    with new_stage(path) as made:
        return [fault for one in contents if (fault := made.add(one, START_REAL_MS))]


def importing(path: Path, sequence: int = 9) -> i.ActAccepted:
    """Return an act that was checked: the extract in this file takes the copy's place."""
    return i.ActAccepted(
        operator="mado-1",
        act="register.import",
        subject="sha256:0",
        reason="first copy",
        nonce=b"n" * 16,
        change=NewExtract(
            staged=str(path),
            file_digest=b"d" * 32,
            counts=Counts(households=3, residents=7, records=len(ONCE)),
            sequence=sequence,
            as_of_ms=START_REAL_MS + 5,
        ),
    )


async def take(city: CityFile, contents: Iterable[Content]) -> None:
    """Stage an extract and let it take the copy's place."""
    path = stage_path(city.path, "0" * 16)
    assert [] == stage(path, contents)
    await city.give(importing(path))
    assert not path.exists()


async def test_what_is_the_same_keeps_its_version(city: CityFile) -> None:
    """The whole copy is taken anew, and every certificate under way can go on."""
    before = [city.rows(sql) for sql in (VERSIONS, RECORD_VERSIONS, HOLDERS)]
    residents = city.rows("SELECT * FROM resident ORDER BY 1")
    await take(city, SAME)

    assert before == [city.rows(sql) for sql in (VERSIONS, RECORD_VERSIONS, HOLDERS)]
    assert residents == city.rows("SELECT * FROM resident ORDER BY 1")
    state = await city.store.copy_state()
    assert (9, START_REAL_MS + 5) == (state.sequence, state.watermark_ms)


async def test_only_what_differs_gets_a_new_version(city: CityFile) -> None:
    """One household changed, one gone, one record gone; nothing else moved."""
    before = dict(city.rows(VERSIONS))
    records = dict(city.rows(RECORD_VERSIONS))
    seal = record_key(RECORDS[HOLDER_ID, Kind.INKAN])
    changed = (
        HouseholdLine(household=remarked(A)),
        HouseholdLine(household=B),
        *(line for line in SAME if isinstance(line, RecordLine)),
    )
    await take(city, [one for one in changed if _key(one) != seal])
    after, of_records = dict(city.rows(VERSIONS)), dict(city.rows(RECORD_VERSIONS))

    assert {A.household_id, B.household_id} == after.keys()
    assert before[B.household_id] == after[B.household_id]
    assert after[A.household_id] > max(*before.values(), *records.values())
    assert {key: at for key, at in records.items() if key != seal} == of_records
    (last,) = city.rows("SELECT last_version FROM register_state")
    assert last[0] >= after[A.household_id]


async def test_suppressions_and_edits_of_the_register_are_replaced(city: CityFile) -> None:
    """What operators of this program suppress is not the extract's to lift."""
    city.change(
        "INSERT INTO suppression (suppression_id, resident_id, reason, since_ms, origin)"
        " VALUES ('own', ?, 'other', 0, 'operator'), ('register/old', ?, 'other', 0, 'register')",
        HOLDER_ID,
        HOLDER_ID,
    )
    city.change("INSERT INTO register_edit (resident_id, since_ms) VALUES (?, 0)", HOLDER_ID)
    edit = EditLine(subject_kind=SubjectKind.HOUSEHOLD, subject_id=B.household_id)
    new = SuppressionLine(suppression=suppression("new", B.head_id))
    await take(city, (*SAME, edit, new))

    assert [("own",), ("register/new",)] == city.rows(
        "SELECT suppression_id FROM suppression ORDER BY 1"
    )
    assert [(None, B.household_id)] == city.rows(
        "SELECT resident_id, household_id FROM register_edit"
    )


async def test_import_is_on_record_with_numbers_only(city: CityFile) -> None:
    """Who and why, the digest and the counts; no name and no number of anybody."""
    await take(city, SAME)
    imported = next(one for one in city.records() if isinstance(one, r.RegisterImported))

    assert (b"d" * 32, 3, 9) == (imported.file_digest, imported.households, imported.sequence)
    packed = b"".join(row[0] for row in city.rows("SELECT record FROM journal"))
    assert A.head.name.encode() not in packed
    assert HOLDER_ID.encode() not in packed


@pytest.mark.parametrize(
    ("second", "item"),
    [
        (HouseholdLine(household=remarked(A)), "twice in the extract"),
        (
            HouseholdLine(household=msgspec.structs.replace(A, household_id="50000990")),
            "宛名番号 twice in the extract",
        ),
        (RecordLine(record=RECORDS[HOLDER_ID, Kind.INKAN]), "twice in the extract"),
        (
            RecordLine(
                record=msgspec.structs.replace(
                    RECORDS[HOLDER_ID, Kind.KOSEKI_ZENBU], register_id="another"
                )
            ),
            "宛名番号 twice in the extract",
        ),
        (SuppressionLine(suppression=suppression("1", HOLDER_ID)), "twice in the extract"),
        (
            EditLine(subject_kind=SubjectKind.PERSON, subject_id=HOLDER_ID),
            "宛名番号 twice in the extract",
        ),
    ],
)
def test_who_comes_twice_is_found(tmp_path: Path, second: Content, item: str) -> None:
    """In two households, with two records of a kind, or in two lines."""
    first = (
        *SAME,
        SuppressionLine(suppression=suppression("1", B.head_id)),
        EditLine(subject_kind=SubjectKind.PERSON, subject_id=HOLDER_ID),
    )

    assert [item] == [fault.item for fault in stage(tmp_path / "stage", (*first, second))]


async def test_extract_that_is_no_stage_changes_nothing(city: CityFile) -> None:
    """The server stops rather than go on with half a copy."""
    path = stage_path(city.path, "0" * 16)
    path.write_bytes(b"no database" * 1_000)
    before = city.rows(VERSIONS)
    with pytest.raises(JournalFailed):
        await city.give(importing(path))

    assert before == city.rows(VERSIONS)
    assert [] == city.records()


async def test_leftovers_are_removed(city: CityFile) -> None:
    """Of a server that died as it took one over at its next start, of a command at the next one."""
    own, of_server = (stage_path(city.path, name * 16) for name in "01")
    own.write_bytes(b"own")
    of_server.write_bytes(b"taken")
    left = taken(of_server)
    remove_stages(city.path)
    assert (False, True) == (own.exists(), left.exists())
    remove_left(city.path)
    assert not left.exists()


def test_stage_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    """And a stage that was not finished is removed with what it holds."""
    with pytest.raises(SetUpError, match="cannot be staged"):
        stage(tmp_path / "no" / "stage", SAME)
    with pytest.raises(KeyboardInterrupt):
        stage(tmp_path / "stage", _interrupted())

    assert [] == list(tmp_path.iterdir())


def _interrupted() -> Iterator[Content]:
    """Yield a line, and then somebody presses Ctrl-C."""
    yield SAME[0]
    raise KeyboardInterrupt


def _key(line: Content) -> str | None:
    return record_key(line.record) if isinstance(line, RecordLine) else None
