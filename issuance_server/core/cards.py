"""The cards that the city knows: which kinds there are, whose they are, from when they are usable.

A card is registered for the service at the counter (利用登録). What changes at it works from the
next day, where the rule says so: until then the resident system and the card may not agree.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from enum import Enum

from issuance_server.core.refusals import Refusal


class CardKind(Enum):
    """Which card it is, and so who judges its PIN."""

    JUKI = "juki"  # 住民基本台帳カード: the city's PIN judge
    MYNUMBER = "mynumber"  # 個人番号カード: the card itself, which then signs with its certificate


class CardOccasion(Enum):
    """Why a card is registered, or its PIN is set anew."""

    IN_USE = "in-use"  # the holder has used the card for other things before
    NEW_CARD = "new-card"  # the card was handed over today
    MOVED_IN = "moved-in"  # the holder moved in and goes on using the card (継続利用)
    PIN_CHANGED = "pin-changed"


_FROM_THE_NEXT_DAY = frozenset(
    {CardOccasion.NEW_CARD, CardOccasion.MOVED_IN, CardOccasion.PIN_CHANGED}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CardFacts:
    """A registered card that was not withdrawn, as of this transaction.

    Attributes:
        card_ref: its random reference.
        kind: which card it is.
        resident_id: 宛名番号 of its holder.
        usable_from: the first business day on which it is taken; None: from its registration on.
    """

    card_ref: str
    kind: CardKind
    resident_id: str
    usable_from: date | None = None


def first_usable_day(occasion: CardOccasion, today: date) -> date | None:
    """Return the first day on which a card is taken; None: at once.

    Args:
        occasion: what was done with the card.
        today: the city's business day.
    """
    return today + timedelta(days=1) if occasion in _FROM_THE_NEXT_DAY else None


def card_refusal(card: CardFacts | None, today: date) -> Refusal | None:
    """Return why a card is not taken yet, or None; a card that is unknown is refused elsewhere."""
    if card is None or card.usable_from is None or today >= card.usable_from:
        return None
    return Refusal.CARD_NOT_YET_USABLE
