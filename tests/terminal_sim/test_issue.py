"""``issue`` and ``settle`` from the command line to the exit code, with the city in memory."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from protocol.codes import ReplyCode
from protocol.telegrams import Refused
from terminal_sim import __main__ as program
from terminal_sim.config import TerminalConfig
from terminal_sim.core.requests import Step
from terminal_sim.opening import Ended, Settings, Visitor, run_opening
from terminal_sim.result import Exit
from tests.terminal_sim.city import City
from tests.terminal_sim.conftest import Town
from tests.terminal_sim.paper_city import PIN

Set = Callable[[City], None]
Issue = Callable[..., int]


@pytest.fixture
def prepare(town: Town, monkeypatch: pytest.MonkeyPatch) -> Callable[[Set], None]:
    """Return a way to set the city up that the program will meet."""

    def prepare_city(change: Set) -> None:
        async def over_wire(
            config: TerminalConfig, visitor: Visitor | None, settings: Settings
        ) -> Ended:
            wire = town.wire()
            change(wire.city.city)
            return await run_opening(config, visitor, replace(settings, carrier=wire))

        monkeypatch.setattr(program, "run_opening", over_wire)

    prepare_city(lambda _: None)
    return prepare_city


@pytest.fixture
def issue(town: Town, prepare: Callable[[Set], None]) -> Issue:
    """Return a way to run ``issue``."""

    def run(*arguments: str, pin: str = PIN) -> int:
        where = ("--terminal", "7-0001", "--terminals", str(town.folder))
        what = ("--card", str(town.card), "--certificate", "juminhyo", "--out", str(town.tray))
        return program.main(["issue", *where, *what, "--pin", pin, *arguments])

    return run


def test_the_paper_is_named_on_standard_output(
    issue: Issue, town: Town, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit 0; the screen goes to standard error."""
    assert Exit.DONE == issue("--option", "scope=household")

    said = capsys.readouterr()
    (paper,) = town.tray.iterdir()
    assert f"{paper}\n" == said.out
    assert "完了しました" in said.err
    assert "印刷 2/2枚" in said.err


def test_a_program_gets_an_object(issue: Issue, capsys: pytest.CaptureFixture[str]) -> None:
    """And, with more words, what the line dropped."""
    assert Exit.DONE == issue("--json", "--verbose", "--insert", "1000")

    said = capsys.readouterr()
    result: dict[str, Any] = json.loads(said.out)
    assert ("completed", True, 300) == (
        result["state"],
        result["deletion_confirmed"],
        result["fee_yen"],
    )
    assert "nothing late, nothing dropped" in said.err
    assert "おつり 700円" in said.err


def test_a_refusal_is_told_in_words_and_numbers(
    issue: Issue, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit 3, the sentence on the screen, the code for the program."""
    assert Exit.REFUSED == issue("--json", pin="0000")

    said = capsys.readouterr()
    assert 2002 == json.loads(said.out)["refusal"]["code"]
    assert "暗証番号が違います" in said.err


def test_a_withdrawn_issuance_prints_nothing_and_exits_5(
    issue: Issue, capsys: pytest.CaptureFixture[str]
) -> None:
    """Too little money: no path on standard output."""
    assert Exit.FAILED == issue("--insert", "10")

    said = capsys.readouterr()
    assert "" == said.out
    assert "10円をお返しします" in said.err


def test_a_refused_opening_exits_3(
    issue: Issue, prepare: Callable[[Set], None], capsys: pytest.CaptureFixture[str]
) -> None:
    """The terminal itself is not accepted; ``settle`` says the same."""
    refuse = Refused(code=ReplyCode.VERSION_UNKNOWN)
    prepare(lambda city: city.refusals.update({Step.OPEN: [refuse]}))

    assert Exit.REFUSED == issue()
    assert "この端末は現在利用できません" in capsys.readouterr().err


def test_what_is_left_is_settled_later(
    issue: Issue,
    prepare: Callable[[Set], None],
    town: Town,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Exit 4 and the issuance's id while the report is not taken, exit 0 afterwards."""
    monkeypatch.setattr("terminal_sim.machine.SETTLE_MS_MAX", 50)
    settle = ["settle", "--terminal", str(town.config.path)]
    prepare(lambda city: city.deaf.add(Step.REPORT))
    assert Exit.UNKNOWN == issue("--json")
    issuance = json.loads(capsys.readouterr().out)["issuance"]

    assert Exit.UNKNOWN == program.main(settle)
    assert f"{issuance}\n" == capsys.readouterr().out
    assert Exit.UNKNOWN == program.main([*settle, "--json"])
    left = {"terminal": "7-0001", "unfinished": [issuance]}
    assert left == json.loads(capsys.readouterr().out)
    prepare(lambda city: None)
    assert Exit.DONE == program.main(settle)
    assert "未了 0件" in capsys.readouterr().err


def test_counters_that_differ_are_told(
    issue: Issue, prepare: Callable[[Set], None], capsys: pytest.CaptureFixture[str]
) -> None:
    """精査 is an alarm on both sides, and no reason to doubt the paper."""

    def miscount(city: City) -> None:
        city.counters_off_by = 1

    prepare(miscount)
    assert Exit.DONE == issue("--json")

    said = capsys.readouterr()
    assert json.loads(said.out)["counters_agree"] is False
    assert "計数が一致しません" in said.err


def test_a_refused_settling_exits_3(prepare: Callable[[Set], None], town: Town) -> None:
    """Nothing can be settled with a city that does not open."""
    refuse = Refused(code=ReplyCode.LINE_STOPPED)
    prepare(lambda city: city.refusals.update({Step.OPEN: [refuse]}))

    assert Exit.REFUSED == program.main(["settle", "--terminal", str(town.config.path)])
