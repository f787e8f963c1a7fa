"""Records of the city's tables."""

from issuance_server.core.records.base import HouseRecord


class TablesLoaded(HouseRecord, frozen=True, kw_only=True, tag="tables-loaded"):
    """Other tables of hours, fees and chains are in force; what is under way keeps its quotation.

    Attributes:
        digest: SHA-256 of the content.
        content: the whole file, as its operator wrote it; it names chains, and no person.
        operator: who loaded it; None: the city was founded with it.
    """

    digest: bytes
    content: bytes
    operator: str | None = None
