"""Cards of the kind that a sample city has none of, for traces that need them."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from keys.jpki import JpkiAuthority, serial_of
from keys.mynumber_card import MyNumberCard
from protocol.secret import Secret
from terminal_sim.pytest_traces import TraceCity

PIN = "4938"
BEGINNINGS = {
    "visitor": timedelta(0),  # good, and the city does not know it
    "outdated": timedelta(days=4_000),
    "revoked": timedelta(0),
}
"""Names of cards, and how long ago their certificates began."""


@pytest.fixture(scope="session")
def cards_from_elsewhere(trace_city: TraceCity) -> None:
    """Put cards that the authority certified beside those of the city."""
    city = trace_city.terminals.parent
    authority = JpkiAuthority.load(city / "jpki")
    now = datetime.now(UTC)
    for name, ago in BEGINNINGS.items():
        began = now - ago
        card = MyNumberCard.create(
            trace_city.cards / f"{name}.card.json",
            holder=name,
            pin=Secret(PIN.encode()),
            certify=lambda key, began=began: authority.issue(key, now=began),
        )
        _add_pin(city / "README.md", name)
        if name == "revoked":
            authority.revoke(serial_of(card.certificate), now)
    authority.publish(city / "keys" / "trust" / "jpki", now)


def _add_pin(readme: Path, name: str) -> None:
    with readme.open("a", encoding="utf-8") as rows:
        rows.write(f"\n| cards/{name}.card.json | {PIN} |")
