"""What commands say about cards, beside the questions that there were."""

from typing import Annotated

import msgspec
from msgspec import Meta

from issuance_server.adapters.sqlite.cards import RegistrationRow
from issuance_server.core.card_registration import SealedCard
from issuance_server.core.cards import CardOccasion
from issuance_server.core.pin_policy import AnyAttempt
from protocol.fields import CardCertificate, Challenge32, Id

ACT_CARD_REGISTER_BEGIN = "card.register-begin"
ACT_CARD_REGISTER_APPROVE = "card.register-approve"
ACT_CARD_REGISTER_TRY = "card.register-try"
ACT_CARD_REGISTER_CANCEL = "card.register-cancel"
ACT_CARD_RESET_PIN = "card.reset-pin"
ACT_CARD_WITHDRAW = "card.withdraw"

_CardRef = Annotated[str, Meta(pattern=r"^card-[0-9a-f]{16}$")]


class BegunCard(msgspec.Struct, frozen=True, kw_only=True, tag="begun-card"):
    """What comes with ``card.register-begin``: for whom, and the card, of one of the two kinds.

    Attributes:
        card_ref: the reference that the card is to have, drawn at random.
        resident_id: 宛名番号 of its holder.
        occasion: why it is registered.
        card: a 住民基本台帳カード, with the PIN that the holder typed; or
        certificate: that of a 個人番号カード, in DER form.
    """

    card_ref: _CardRef
    resident_id: Annotated[str, Meta(min_length=1, max_length=32)]
    occasion: CardOccasion
    card: SealedCard | None = None
    certificate: CardCertificate | None = None


class TriedCard(msgspec.Struct, frozen=True, kw_only=True, tag="tried-card"):
    """What comes with ``card.register-try``: the attempt that the holder made at the counter.

    ``occasion`` is that of the registration; the first usable day follows from it.
    """

    attempt: AnyAttempt
    occasion: CardOccasion


class ResetPin(msgspec.Struct, frozen=True, kw_only=True, tag="reset-pin"):
    """What comes with ``card.reset-pin`` of a 住民基本台帳カード: the card and its new PIN."""

    card: SealedCard


class ListRegistrations(msgspec.Struct, frozen=True, kw_only=True, tag="list-registrations"):
    """The registrations that are not finished."""


class DrawCardChallenge(msgspec.Struct, frozen=True, kw_only=True, tag="draw-card-challenge"):
    """Wants a challenge for a trial at the counter, under a visit id drawn by the command."""

    visit_id: Id


class CardChallenge(msgspec.Struct, frozen=True, kw_only=True, tag="card-challenge"):
    """The challenge, and the name in the place of a terminal's."""

    terminal: str
    challenge: Challenge32


class Registrations(msgspec.Struct, frozen=True, kw_only=True, tag="registrations"):
    """Oldest first."""

    rows: tuple[RegistrationRow, ...]
