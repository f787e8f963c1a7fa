"""Records of cards: references, ids and days; the operators' own words stand with their acts."""

from issuance_server.core.card_registration import CardStep
from issuance_server.core.cards import CardKind, CardOccasion
from issuance_server.core.records.base import HouseRecord


class CardRegistrationBegun(HouseRecord, frozen=True, kw_only=True, tag="card-registration-begun"):
    """An operator began to register a card for its holder.

    The serial of a card's certificate is kept beside the journal: others know the person by it.

    Attributes:
        card_ref: the reference that the card is to have.
        kind: which card.
        resident_id: 宛名番号 of its holder.
        occasion: why.
        operator: who began it.
        subject: what that operator signed, and a second one is to sign.
    """

    card_ref: str
    kind: CardKind
    resident_id: str
    occasion: CardOccasion
    operator: str
    subject: str


class CardChanged(HouseRecord, frozen=True, kw_only=True, tag="card-changed"):
    """Something was done with a card.

    Attributes:
        card_ref: its reference.
        step: what.
        operator: by whom.
        second: and by whom else, where it takes two.
        usable_from: the first day on which it is taken, ``YYYY-MM-DD``, where that changes.
    """

    card_ref: str
    step: CardStep
    operator: str
    second: str | None = None
    usable_from: str | None = None
