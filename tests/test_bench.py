"""The benchmarks do what they say; how long it takes is not asked here."""

import json

import pytest

from tools.bench.__main__ import BENCHMARKS, main
from tools.bench.measure import ONCE, Benchmark, Result


@pytest.mark.parametrize("name", BENCHMARKS)
def test_every_benchmark_runs(name: str) -> None:
    """Once through the code that is measured, with its own checks."""
    figures = BENCHMARKS[name].measure(ONCE)

    assert figures
    # A difference of two times, each taken once, may be anything.
    differences = {"certificate-further-sheet", "trace", "trace-cpu"}
    assert all(figure > 0 for figure in figures) or name in differences


@pytest.mark.parametrize("name", ["telegram-growth", "handshake-bytes"])
def test_what_does_not_depend_on_the_machine_is_within_its_target(name: str) -> None:
    """Lengths are lengths, on a machine under load, too."""
    assert Result(benchmark=BENCHMARKS[name], figures=BENCHMARKS[name].measure(ONCE)).within


def test_figures_are_printed_for_people_and_programs(capsys: pytest.CaptureFixture[str]) -> None:
    """A table, or the same as JSON; and a target that is met is no failure."""
    assert 0 == main(["telegram-growth", "--strict"], effort=ONCE)
    table = capsys.readouterr().out.splitlines()
    assert 0 == main(["telegram-growth", "--json"], effort=ONCE)
    (row,) = json.loads(capsys.readouterr().out)

    assert ["name", "telegram-growth"] == [line.split()[0] for line in table]
    assert "within" in table[1]
    assert ("telegram-growth", 40, True) == (row["name"], row["median"], row["within"])


def test_a_missed_target_fails_only_when_strict(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It measures; judging is asked for."""
    slow = Benchmark(name="slow", what="", unit="ms", measure=lambda _effort: [3.0, 1.0], at_most=1)
    monkeypatch.setitem(BENCHMARKS, "slow", slow)

    assert 0 == main(["slow"], effort=ONCE)
    assert 1 == main(["slow", "--strict"], effort=ONCE)
    assert "MISSED" in capsys.readouterr().out


def test_an_unknown_name_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """With status 2 and where to look."""
    with pytest.raises(SystemExit) as ended:
        main(["nothing"], effort=ONCE)

    assert 2 == ended.value.code
    assert "there is no nothing; see --help" in capsys.readouterr().err
