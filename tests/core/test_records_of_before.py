"""Journals of earlier versions are read as they were meant."""

import msgspec

from issuance_server.core import records as r
from issuance_server.core.terminal_place import TerminalClass


def test_terminals_of_before_are_machines_of_stores() -> None:
    """A registration from before there were classes of terminals names none."""
    now = r.TerminalRegistered(
        at_ms=1,
        terminal="7E-0001",
        line_id=b"line-one",
        fingerprint=bytes(32),
        report_public_key=bytes(32),
        until_ms=2,
        chain="Seven-Eleven",
        store="駅前",
        in_city=True,
        terminal_class=TerminalClass.CITY_HALL,
    )
    content = msgspec.msgpack.decode(r.encode_record(now))
    assert "city-hall" == content.pop("terminal_class")
    before = r.decode_record(msgspec.msgpack.encode(content))

    assert isinstance(before, r.TerminalRegistered)
    assert TerminalClass.STORE is before.terminal_class
