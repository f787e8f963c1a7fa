"""What two operators sign when a card is registered (利用登録), and what binds its first PIN.

The first operator begins with the holder, the card and the PIN that the holder typed; a second one,
with a key of their own, looks at it again and signs the very same; and a trial at the counter
proves that the card works before it is handed over. Only then it is registered.

Neither card number nor PIN stands in what is signed, only digests: the PIN judge holds the part of
the card against what it was given, the city the part of the holder.
"""

import hashlib
from dataclasses import dataclass
from enum import Enum

import msgspec

from issuance_server.core.cards import CardKind, CardOccasion
from protocol.fields import Digest, Id, PinBlock
from protocol.statements import statement

TRIAL_TERMINAL_PREFIX = "counter-"
"""A trial has a terminal of its own at the judge; a real one's id has no small letters."""


class SealedCard(msgspec.Struct, frozen=True, kw_only=True):
    """A 住民基本台帳カード with a PIN, as the PIN judge takes it. Its repr shows neither.

    Attributes:
        number: card number, 16 bytes; the judge alone keeps something of it.
        public_key: Ed25519, 32 bytes.
        pin_block: the PIN, sealed to the judge with ``counter_pin_info``.
    """

    number: Id
    public_key: Digest
    pin_block: PinBlock

    def __repr__(self) -> str:
        return "SealedCard(***)"


class CardStep(Enum):
    """What is done with a card, beside the beginning of its registration."""

    APPROVED = "approved"  # by the second operator; it waits for its trial
    REGISTERED = "registered"  # the trial was good
    CANCELLED = "cancelled"  # nothing came of the registration
    WITHDRAWN = "withdrawn"  # lost, or its holder died: taken no more
    UNLOCKED = "unlocked"
    PIN_RESET = "pin-reset"


@dataclass(frozen=True, slots=True, kw_only=True)
class BegunRegistration:
    """The registration of a card begins.

    Attributes:
        card_ref: the reference that the card is to have, drawn at random.
        kind: which card.
        resident_id: 宛名番号 of its holder.
        certificate_serial: of a 個人番号カード, in hexadecimal.
        occasion: why.
        operator: who begins it.
        subject: what that operator signed, and the second one is to sign.
    """

    card_ref: str
    kind: CardKind
    resident_id: str
    certificate_serial: str | None
    occasion: CardOccasion
    operator: str
    subject: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CardChange:
    """Something is done with a card.

    Attributes:
        card_ref: its reference.
        step: what.
        operator: by whom.
        second: and by whom else, where it takes two.
        occasion: from which its first usable day follows, where that changes.
    """

    card_ref: str
    step: CardStep
    operator: str
    second: str | None = None
    occasion: CardOccasion | None = None


def registration_subject(
    card_ref: str, card: SealedCard | bytes, resident_id: str, occasion: CardOccasion
) -> str:
    """Return what both operators sign: the reference, a digest of the card, one of the holder.

    Args:
        card_ref: the reference that the card is to have.
        card: what the judge is given; or the certificate in DER form.
        resident_id: 宛名番号 of its holder.
        occasion: why it is registered.
    """
    holder = statement("card-holder", card_ref, resident_id, occasion.value)
    return f"{card_ref} {card_digest(card_ref, card)} {hashlib.sha256(holder).hexdigest()}"


def card_digest(card_ref: str, card: SealedCard | bytes) -> str:
    """Return the digest of a card as it stands in what operators sign."""
    if isinstance(card, bytes):
        signed = statement("certified-card", card_ref, card)
    else:
        parts = (card.number, card.public_key, card.pin_block)
        signed = statement("sealed-card", card_ref, *parts)
    return hashlib.sha256(signed).hexdigest()


def counter_pin_info(*, city: str, card_ref: str, number: bytes) -> bytes:
    """Return the HPKE ``info`` of a PIN that is typed at the counter.

    Args:
        city: municipality code, 6 digits.
        card_ref: the card's reference.
        number: card number, 16 bytes.
    """
    return statement("counter-pin", city, card_ref, number)


def card_ref_of(subject: str) -> str:
    """Return the card's reference from what an operator signed about it."""
    return subject.split(" ", 1)[0]
