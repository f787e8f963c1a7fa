"""Records of 本籍地利用登録: ids, digests and days; what was typed stands in its own table."""

from issuance_server.core.records.base import HouseRecord


class DomicileRequested(HouseRecord, frozen=True, kw_only=True, tag="domicile-requested"):
    """A card that the city does not know asks to be registered.

    Attributes:
        request_id: made by the terminal.
        terminal: where.
        card_ref: the reference that the card has from now on.
        request_digest: SHA-256 of the telegram.
    """

    request_id: bytes
    terminal: str
    card_ref: str
    request_digest: bytes


class DomicileMatched(HouseRecord, frozen=True, kw_only=True, tag="domicile-matched"):
    """An operator found the person; another one is to approve."""

    request_id: bytes
    resident_id: str
    operator: str


class DomicileApproved(HouseRecord, frozen=True, kw_only=True, tag="domicile-approved"):
    """The card is registered; ``day`` is the first on which it is taken."""

    request_id: bytes
    day: str


class DomicileRejected(HouseRecord, frozen=True, kw_only=True, tag="domicile-rejected"):
    """The card is not registered; why stands in the table, for the applicant."""

    request_id: bytes
