"""Sample terminals: stores of the five chains in and out of the city, and the city hall's machine.

The chains are those of Toyonaka's service of 2013 to 2015; the stores are fictitious.
"""

import msgspec

from issuance_server.core.terminal_place import TerminalClass


class SampleTerminal(msgspec.Struct, frozen=True, kw_only=True):
    """One multicopy machine.

    Attributes:
        terminal_id: as on the line, ``[A-Z0-9-]{2,16}``.
        chain: who runs the store.
        store_name: as on the receipt.
        in_city: whether it stands in Toyonaka.
        terminal_class: what kind of machine it is.
    """

    terminal_id: str
    chain: str
    store_name: str
    in_city: bool
    terminal_class: TerminalClass = TerminalClass.STORE


SEVEN_ELEVEN = "Seven-Eleven"
LAWSON = "Lawson"
CIRCLE_K = "Circle K"
SUNKUS = "Sunkus"
FAMILY_MART = "FamilyMart"
CITY_HALL = "Toyonaka City"

_ROWS = (
    # terminal, chain, store, in the city
    ("7E-0001", SEVEN_ELEVEN, "見本豊中本町店", True),
    ("7E-0002", SEVEN_ELEVEN, "見本庄内駅前店", True),
    ("7E-0101", SEVEN_ELEVEN, "見本梅田店", False),
    ("LW-0001", LAWSON, "見本千里中央店", True),
    ("LW-0002", LAWSON, "見本服部天神店", True),
    ("LW-0101", LAWSON, "見本札幌大通店", False),
    ("CK-0001", CIRCLE_K, "見本曽根店", True),
    ("CK-0101", CIRCLE_K, "見本名古屋栄店", False),
    ("SK-0001", SUNKUS, "見本岡町店", True),
    ("SK-0101", SUNKUS, "見本仙台青葉店", False),
    ("FM-0001", FAMILY_MART, "見本蛍池店", True),
    ("FM-0002", FAMILY_MART, "見本桃山台店", True),
    ("FM-0101", FAMILY_MART, "見本那覇店", False),
    ("CITY-0001", CITY_HALL, "豊中市役所 第一庁舎", True),
)


def sample_terminals() -> tuple[SampleTerminal, ...]:
    """Return the sample's terminals, by chain; those of each chain in the city come first."""
    return tuple(
        SampleTerminal(
            terminal_id=terminal,
            chain=chain,
            store_name=store,
            in_city=in_city,
            terminal_class=TerminalClass.CITY_HALL if chain == CITY_HALL else TerminalClass.STORE,
        )
        for terminal, chain, store, in_city in _ROWS
    )
