"""``issuance-server suppression``: what an operator types and sees."""

import json
from typing import Any

import pytest

from issuance_server.sample.residents import sample_households
from tests.commands.desk import Commands

HEAD = sample_households()[0].head_id


def of_operators(commands: Commands) -> list[dict[str, Any]]:
    """Return those in force that came from no register."""
    rows = json.loads(commands.run("suppression", "list", "--json").out)
    return [row for row in rows if row["origin"] == "operator"]


def test_suppression_comes_is_listed_and_goes(commands: Commands) -> None:
    """It is named on standard output; its last day is a reminder."""
    added = commands.act(
        *("suppression", "add", "--resident", HEAD, "--why", "provisional-support"),
        *("--until", "2099-03-31", "--level", "alert"),
    )
    suppression = added.out.strip()
    assert (0, "in force; it goes on until it is lifted under this number\n") == (
        added.status,
        added.err,
    )
    (line,) = (
        line.split()
        for line in commands.run("suppression", "list").out.splitlines()
        if line.startswith(suppression)
    )

    assert [suppression, "person", HEAD, "provisional-support", "alert"] == line[:5]
    assert ["2099-03-31", "operator"] == line[-2:]
    (row,) = of_operators(commands)
    assert (suppression, False) == (row["suppression"], row["past"])
    over = json.loads(commands.run("suppression", "list", "--past", "--json").out)
    assert ["sample-026"] == [one["suppression"] for one in over]
    lifted = commands.act_of_two("suppression", "lift", suppression)
    assert (0, f"{suppression} is lifted\n") == (lifted.status, lifted.err)
    assert [] == of_operators(commands)
    assert "holds" in commands.run("audit", "verify").out


def test_mistake_is_told_and_changes_nothing(commands: Commands) -> None:
    """A number that was mistyped, and one that is in no list."""
    mistyped = commands.act("suppression", "add", "--resident", "10000010", "--why", "other")
    unknown = commands.act_of_two("suppression", "lift", "0123456789abcdef")

    assert (1, "") == (mistyped.status, mistyped.out)
    assert "the check digit is wrong" in mistyped.err
    assert (1, True) == (unknown.status, "see: suppression list" in unknown.err)
    assert [] == of_operators(commands)


def test_nobody_lifts_alone(commands: Commands) -> None:
    """One operator named twice is one, and the suppression goes on."""
    added = commands.act("suppression", "add", "--resident", HEAD, "--why", "support")
    alone = commands.act_of_two("suppression", "lift", added.out.strip(), second="mado-1")
    with pytest.raises(SystemExit, match="2"):
        commands.act("suppression", "lift", added.out.strip())

    assert (1, True) == (alone.status, "two operators with keys of their own" in alone.err)
    assert [added.out.strip()] == [row["suppression"] for row in of_operators(commands)]


@pytest.mark.parametrize(
    "arguments",
    [
        ("--why", "other"),
        ("--resident", HEAD, "--household", "50000028", "--why", "other"),
        ("--resident", HEAD, "--why", "because"),
        ("--resident", HEAD, "--why", "other", "--until", "soon"),
        ("--resident", HEAD, "--why", "other", "--until", "2026-13-01"),
    ],
)
def test_usage_is_two(untouched: Commands, arguments: tuple[str, ...]) -> None:
    """Whom and why are asked for, in words that there are."""
    with pytest.raises(SystemExit) as ended:
        untouched.act("suppression", "add", *arguments)

    assert 2 == ended.value.code
