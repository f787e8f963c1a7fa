"""The published schema is made from the types, and the page is up to date."""

from pathlib import Path

import pytest

from issuance_server.observe import register_schema


def test_published_schema_is_that_of_the_types() -> None:
    """``make docs`` writes it; this is what ``make check`` asks."""
    assert 0 == register_schema.main(["--check"])


def test_schema_refuses_fields_that_it_does_not_name() -> None:
    """As the reader does: whoever checks with it beforehand is told the same."""
    definitions = register_schema.schema()["$defs"]

    for name in ("Header", "Resident", "Household", "TaxRecord", "HouseholdsChanged"):
        assert definitions[name]["additionalProperties"] is False, name


def test_page_that_is_out_of_date_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the way out."""
    monkeypatch.setattr(register_schema, "PAGE", tmp_path / "schema.json")
    assert 1 == register_schema.main(["--check"])
    assert "run `make docs`" in capsys.readouterr().err
    assert 0 == register_schema.main([])
    assert 0 == register_schema.main(["--check"])
