"""Progress of long commands: for a terminal only, and gone at the end."""

import io

import pytest

from issuance_server.desk_commands import progress
from issuance_server.desk_commands.progress import Progress


class Screen(io.StringIO):
    """Standard error, which is a terminal or not."""

    def __init__(self, *, terminal: bool) -> None:
        super().__init__()
        self._terminal = terminal

    def isatty(self) -> bool:
        return self._terminal


def shown(
    monkeypatch: pytest.MonkeyPatch, *, terminal: bool, whole: int, steps: tuple[int, ...]
) -> str:
    """Return what a work of some steps writes, each looked at."""
    screen = Screen(terminal=terminal)
    monkeypatch.setattr("sys.stderr", screen)
    monkeypatch.setattr(progress, "_LOOK_S", 0)
    with Progress("checking", whole) as work:
        for done in steps:
            work(done)
    return screen.getvalue()


def test_terminal_sees_a_share_that_is_overwritten(monkeypatch: pytest.MonkeyPatch) -> None:
    """And an empty line at the end, on which the command goes on."""
    assert "\rchecking: 9 %\rchecking: 50 %\r              \r" == shown(
        monkeypatch, terminal=True, whole=200, steps=(19, 100)
    )


def test_what_has_no_known_end_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """As from a pipe."""
    assert "\rchecking: 19" in shown(monkeypatch, terminal=True, whole=0, steps=(19,))


def test_programs_see_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A log is not filled with it."""
    assert "" == shown(monkeypatch, terminal=False, whole=200, steps=(19, 100))


def test_terminal_is_not_written_to_more_than_a_few_times_a_second(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Ten thousand lines are not ten thousand writes."""
    screen = Screen(terminal=True)
    monkeypatch.setattr("sys.stderr", screen)
    monkeypatch.setattr("time.monotonic", lambda: 5.0)
    work = Progress("checking", 10_000)
    for done in range(10_000):
        work(done)

    assert "\rchecking: 0 %" == screen.getvalue()
