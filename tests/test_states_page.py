"""The page of states agrees with the tables that the code runs by."""

from pathlib import Path

import pytest

from protocol.issuance import ISSUANCE_TABLE
from protocol.visit import VISIT_TABLE
from tools import draw_states


def test_the_page_is_the_one_drawn_from_the_tables() -> None:
    """``python -m tools.draw_states`` would change nothing."""
    written = (Path(__file__).parents[1] / "docs" / "states.md").read_text(encoding="utf-8")

    assert draw_states.page() == written


def test_every_row_and_every_ignored_pair_is_on_the_page() -> None:
    """Nothing of either table is left out."""
    drawn = draw_states.page()
    for table in (VISIT_TABLE, ISSUANCE_TABLE):
        for row in table.rows:
            cells = (row.state.value, row.input.value, row.next.value, row.server, row.terminal)

            assert f"| {' | '.join(cells)} |" in drawn
    rows = len(VISIT_TABLE.rows) + len(ISSUANCE_TABLE.rows)
    headings = 4
    assert rows + headings == sum(line.startswith("|") for line in drawn.splitlines())


@pytest.mark.parametrize("found", [None, "another page"])
def test_checking_tells_a_missing_or_changed_page(
    found: str | None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """``--check`` exits 1, names the way out and writes nothing; drawing mends it."""
    page = tmp_path / "states.md"
    if found is not None:
        page.write_text(found, encoding="utf-8")
    monkeypatch.setattr(draw_states, "PAGE", page)

    assert 1 == draw_states.main(["--check"])
    assert "run python -m tools.draw_states" in capsys.readouterr().err
    assert (found is not None) == page.exists()
    assert 0 == draw_states.main([])
    assert 0 == draw_states.main(["--check"])
