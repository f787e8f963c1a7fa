"""Every configuration of the short form, explored to its ends; and what the search stands on."""

from collections.abc import Iterator

import pytest

from tests.explorer import server_side, terminal_side
from tests.explorer.configuration import LONG, SHORT, Configuration, Trouble
from tests.explorer.search import Found, Search
from tests.explorer.server_side import Server, Taken
from tests.explorer.terminal_side import Stepped, Terminal

STATES_MIN = 300_000
_FOUND: dict[str, Found] = {}


@pytest.mark.slow
@pytest.mark.parametrize("configuration", SHORT, ids=lambda one: one.name)
def test_nothing_is_found(configuration: Configuration) -> None:
    """Every state keeps the rules, and every end is complete."""
    found = _FOUND[configuration.name] = Search(configuration).run()

    assert found.fault is None, "\n".join([found.fault or "", *found.trace])
    assert found.exhausted
    assert found.ends > 0


@pytest.mark.slow
@pytest.mark.parametrize("configuration", LONG, ids=lambda one: one.name)
def test_nothing_is_found_by_the_long_form(
    configuration: Configuration, request: pytest.FixtureRequest
) -> None:
    """More troubles at once; every state keeps the rules here too."""
    if not request.config.getoption("--full"):
        pytest.skip("the long form only")
    found = Search(configuration).run()

    assert found.fault is None, "\n".join([found.fault or "", *found.trace])
    assert found.exhausted


def test_as_many_states_as_the_proof_claims() -> None:
    """The figure in docs/proofs/explorer.md is what a run of the tests reaches."""
    if len(_FOUND) < len(SHORT):
        pytest.skip("only some configurations were explored in this run")

    assert STATES_MIN <= sum(found.states for found in _FOUND.values())


def test_what_lasts_follows_from_the_records_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """A crash leaves what the records fold to, so a step must not change more than they say."""
    seen = {"server": 0, "terminal": 0}

    def check(self: Server, before: server_side.ServerState, input_: object) -> Taken:
        taken = shipped_take(self, before, input_)  # type: ignore[arg-type]
        assert server_side.follows(before, taken), taken.records
        seen["server"] += 1
        return taken

    def check_terminal(
        self: Terminal, before: terminal_side.TerminalSide, input_: object
    ) -> Stepped:
        stepped = shipped_step(self, before, input_)  # type: ignore[arg-type]
        assert terminal_side.follows(self.profile, before, stepped), stepped.records
        seen["terminal"] += 1
        return stepped

    shipped_take, shipped_step = Server.take, Terminal.take
    monkeypatch.setattr(Server, "take", check)
    monkeypatch.setattr(Terminal, "take", check_terminal)
    troubles = {Trouble.TERMINAL_CRASH: 1, Trouble.CANCEL: 1, Trouble.DEVICE: 1}
    found = Search(Configuration(name="fold", about="", troubles=troubles)).run()

    assert found.fault is None
    assert min(seen.values()) > 100


def test_two_searches_find_the_same() -> None:
    """The order of steps depends on nothing but the configuration."""

    def figures() -> Iterator[int]:
        troubles = {Trouble.SERVER_CRASH: 1}
        found = Search(Configuration(name="again", about="", troubles=troubles)).run()
        yield from (found.states, found.moves, found.depth, found.ends)

    assert list(figures()) == list(figures())
