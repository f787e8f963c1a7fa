"""``tables check | load | show | open | fees | changes``, and the act behind ``load``."""

import json
from pathlib import Path

import msgspec
import pytest

from issuance_server.control import wire
from issuance_server.control.tables_acts import loading_subject
from issuance_server.core import records as r
from issuance_server.sample.tables import SAMPLE_TABLES
from protocol.errors import KofuError
from protocol.kinds import Kind
from tests.commands.desk import Commands, Ran
from tests.commands.scene import Scene, signed
from tests.core.made import CHAIN, TABLES_TOML, TERMINAL, tables_toml

DEARER = SAMPLE_TABLES.replace("koseki-zenbu = 350", "koseki-zenbu = 400", 1)
NIGHT = "2026-12-29T10:00"


def refused(ran: Ran, text: str) -> None:
    """A refusal is one sentence on standard error and exit status 1."""
    assert (1, "") == (ran.status, ran.out)
    assert text in ran.err
    assert 1 == ran.err.count("\n")


def loading(content: bytes, *, of: bytes | None = None) -> wire.Act:
    """Return the signed act that loads tables."""
    subject = loading_subject(content if of is None else of)
    act = signed(act=wire.ACT_TABLES_LOAD, subject=subject)
    return msgspec.structs.replace(act, brought=wire.NewTablesFile(content=content))


def test_sample_comes_with_its_tables(untouched: Commands) -> None:
    """The file that the operator edits is what is in force, since the founding."""
    shown = untouched.run("tables", "show")

    assert (0, SAMPLE_TABLES) == (shown.status, shown.out)
    assert shown.err.endswith("by the founding of the city\n")
    assert SAMPLE_TABLES == (untouched.folder / "tables.toml").read_text(encoding="utf-8")
    assert "Toyonaka City" in untouched.run("terminal", "list", "--json").out


def test_check_needs_no_city(tmp_path: Path, untouched: Commands) -> None:
    """It says what it found, and how long the holidays reach; a fault names its line."""
    file = tmp_path / "tables.toml"
    file.write_text(SAMPLE_TABLES, encoding="utf-8")
    ran = untouched.plain("tables", "check", str(file))
    assert 0 == ran.status
    assert ["chains", "8"] == ran.out.splitlines()[-2].split()
    assert "holidays are listed until 2027-11-23" in ran.err

    file.write_text(SAMPLE_TABLES.replace("06:30-23:00", "23:00-06:30"), encoding="utf-8")
    refused(untouched.plain("tables", "check", str(file)), "hours[1] (store: juminhyo, kisaijiko")
    refused(untouched.plain("tables", "check", str(tmp_path / "none")), "none cannot be read: No")


def test_previews_are_for_people_and_programs(untouched: Commands) -> None:
    """What is open at a moment in Japan, by class, and when the rest opens again."""
    ran = untouched.run("tables", "open", "--at", NIGHT, "--class", "city-hall", "--json")
    rows = json.loads(ran.out)
    people = untouched.run("tables", "open", "--at", NIGHT).out

    assert ["juminhyo", "kisaijiko", "inkan"] == [row["kind"] for row in rows]
    assert {"2027-01-04T08:45:00+09:00"} == {row["opens_at"] for row in rows}
    assert {"yearly-closure"} == {row["cause"] for row in rows}
    assert "closed  2027-01-04 06:30  yearly-closure" in people
    for time in ("2026-12-29", "0001-01-01T00:00", "noon"):
        with pytest.raises(SystemExit, match="2"):
            untouched.run("tables", "open", "--at", time)


def test_day_without_fees_is_told(untouched: Commands) -> None:
    """An empty table says that it is one."""
    asked = untouched.run("tables", "fees", "--at", "1999-01-01")

    assert 0 == asked.status
    told = "on 1999-01-01; the tables have no fee for that day; see: tables show\n"
    assert told == asked.err


def test_fees_and_changes_of_a_file_are_seen_before_it_is_loaded(
    untouched: Commands, tmp_path: Path
) -> None:
    """Nothing is in force by looking at it."""
    file = tmp_path / "tables.toml"
    file.write_text(DEARER, encoding="utf-8")
    asked = ("tables", "fees", "--at", "2026-12-01", "--json")
    now = {
        (row["channel"], row["kind"]): row["yen"] for row in json.loads(untouched.run(*asked).out)
    }
    then = json.loads(untouched.run(*asked, "--file", str(file)).out)
    found = untouched.run("tables", "changes", "--from", "2013-12-05", "--to", "2013-12-31").out

    assert (350, 450) == (now["store", "koseki-zenbu"], now["counter", "koseki-zenbu"])
    assert [400] == [
        row["yen"] for row in then if ("store", "koseki-zenbu") == (row["channel"], row["kind"])
    ]
    assert "2013-12-19  first day: FamilyMart issues juminhyo" in found
    refused(
        untouched.run("tables", "changes", "--from", "2027-01-01", "--to", "2026-01-01"), "exchange"
    )


def test_tables_are_loaded_by_two_operators(commands: Commands) -> None:
    """In force at once, on record with content and digest; the same ones are not loaded twice."""
    file = commands.folder / "tables.toml"
    file.write_text(DEARER, encoding="utf-8")
    alone = commands.act_of_two("tables", "load", str(file), second="mado-1")
    refused(alone, "two operators with keys of their own")
    ran = commands.act_of_two("tables", "load", str(file))
    assert (0, "") == (ran.status, ran.out)
    assert "is in force" in ran.err
    shown = json.loads(commands.run("tables", "show", "--json").out)
    assert ("mado-1", DEARER) == (shown["operator"], shown["content"])

    refused(commands.act_of_two("tables", "load", str(file)), "in force already")
    file.write_text(DEARER + "\nfee = 1\n", encoding="utf-8")
    refused(commands.act_of_two("tables", "load", str(file)), "unknown field `fee`")
    assert "audit record holds: 4 records" in commands.run("audit", "verify").out


async def test_desk_records_tables_whole(scene: Scene) -> None:
    """Who, why, digest and content; the switch has them when the command returns."""
    content = tables_toml({Kind.JUMINHYO: 250})
    assert wire.Done() == await scene.ask(loading(content))
    acted, loaded, ended = scene.city.records()

    assert isinstance(acted, r.OperatorActed)
    assert loading_subject(content) == acted.subject
    assert isinstance(loaded, r.TablesLoaded)
    assert (content, "mado-1") == (loaded.content, loaded.operator)
    assert isinstance(ended, r.OperatorActEnded)
    assert {Kind.JUMINHYO: 250} == scene.city.state.tables.fees[0].yen
    await scene.city.restart()
    assert {Kind.JUMINHYO: 250} == scene.city.state.tables.fees[0].yen


@pytest.mark.parametrize(
    ("act", "text"),
    [
        (loading(TABLES_TOML), "in force already"),
        (loading(b"[hours]\n"), "each line under"),
        (loading(TABLES_TOML + b"\n", of=TABLES_TOML), "signed this act for something else"),
        (
            loading(TABLES_TOML.replace(CHAIN.encode(), b"Lawson")),
            f"terminal {TERMINAL} is registered as a store machine of {CHAIN}, but",
        ),
    ],
    ids=["the same", "wrong", "another file", "without a chain"],
)
async def test_desk_refuses_and_changes_nothing(scene: Scene, act: wire.Act, text: str) -> None:
    """Nothing is recorded, and the tables of before stay in force."""
    with pytest.raises(KofuError, match=text):
        await scene.ask(act)

    assert [] == scene.city.records()
    assert 1 == len(scene.city.rows("SELECT * FROM city_tables"))
    assert "control.act_refused" == scene.logged[-1][0]
