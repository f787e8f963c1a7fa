"""Simulated cards (カード): a file in place of the chip that signs inside a real one.

A card of this project is fictitious and says so in its file. The PIN is no part of a
住民基本台帳カード: the city's PIN judge alone can tell whether one is right. A 個人番号カード
judges its PIN by itself (``keys.mynumber_card``).
"""

import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Self

import msgspec
from msgspec import Meta

from keys import file_store
from keys.mynumber_card import FICTITIOUS, MyNumberCard, is_mynumber_card
from keys.signing import SEED_BYTES, SigningKey
from protocol.codec import UNREADABLE
from protocol.errors import SetUpError
from protocol.secret import Secret
from protocol.statements import card_proof

CARD_NUMBER_BYTES = 16

_FORMAT = "kofu-card/1"
_HOLDER_CHARACTERS_MAX = 100


class _File(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    format: str
    fictitious: str
    holder: Annotated[str, Meta(max_length=_HOLDER_CHARACTERS_MAX)]
    number: Annotated[str, Meta(pattern=r"^[0-9a-f]{32}$")]
    private_key: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$")]


@dataclass(frozen=True, slots=True, kw_only=True)
class CardFile:
    """A card in the hand.

    Attributes:
        number: card number, 16 bytes.
        holder: a note for people, such as the holder's made-up name.
        signing_key: what the chip would keep inside.
    """

    number: bytes
    holder: str
    signing_key: SigningKey

    @classmethod
    def create(
        cls,
        path: Path,
        *,
        holder: str,
        number: bytes | None = None,
        seed: Secret | None = None,
    ) -> Self:
        """Make a card and write it to a new private file.

        Args:
            path: the file to write.
            holder: a note for people, at most 100 characters; it is marked 架空 in the file.
            number: 16 bytes; drawn if not given.
            seed: 32 bytes that make the key; drawn if not given. A sample that must come out the
                same each time gives both.

        Raises:
            SetUpError: number, seed or note are out of range.
            KeyManagementError: the file exists already.
        """
        card = cls(
            number=secrets.token_bytes(CARD_NUMBER_BYTES) if number is None else number,
            holder=holder,
            signing_key=SigningKey.generate() if seed is None else _key_of(seed),
        )
        if len(card.number) != CARD_NUMBER_BYTES or len(holder) > _HOLDER_CHARACTERS_MAX:
            raise SetUpError(
                f"a card has a number of {CARD_NUMBER_BYTES} bytes "
                f"and a note of at most {_HOLDER_CHARACTERS_MAX} characters"
            )
        file = _File(
            format=_FORMAT,
            fictitious=FICTITIOUS,
            holder=holder,
            number=card.number.hex(),
            private_key=card.signing_key.seed().reveal().hex(),
        )
        text = msgspec.json.format(msgspec.json.encode(file), indent=2) + b"\n"
        file_store.write_private(path, text)
        return card

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a card.

        Raises:
            SetUpError: the file is not a card file of this project.
            KeyManagementError: it is missing or readable by others.
        """
        try:
            file = msgspec.json.decode(file_store.read_private(path).reveal(), type=_File)
        except UNREADABLE:
            raise SetUpError(
                f"{path} is not a card file; cards are made with the sample, or with: "
                "issuance-keys card create"
            ) from None
        if (file.format, file.fictitious) != (_FORMAT, FICTITIOUS):
            raise SetUpError(f"{path} is not a card file of this version")
        return cls(
            number=bytes.fromhex(file.number),
            holder=file.holder,
            signing_key=_key_of(Secret(bytes.fromhex(file.private_key))),
        )

    @property
    def public_key(self) -> bytes:
        """What the city registers with the card number, 32 bytes."""
        return self.signing_key.public_key

    def sign(
        self, *, challenge: bytes, visit_id: bytes, attempt: int, terminal: str, city: str
    ) -> bytes:
        """Return the card's proof that it is present in this attempt, 64 bytes.

        Args:
            challenge: 32 bytes from the PIN judge.
            visit_id: 16 bytes.
            attempt: 1 and up, per visit.
            terminal: the terminal's id.
            city: municipality code, 6 digits.
        """
        return self.signing_key.sign(
            card_proof(
                challenge=challenge,
                visit_id=visit_id,
                attempt=attempt,
                terminal=terminal,
                city=city,
                card=self.number,
            )
        )


Card = CardFile | MyNumberCard
"""A card of either kind."""


def load_card(path: Path) -> Card:
    """Read a card of the kind that its file says.

    Raises:
        SetUpError: the file is not a card file of this project.
        KeyManagementError: it is missing or readable by others.
    """
    if is_mynumber_card(file_store.read_private(path).reveal()):
        return MyNumberCard.load(path)
    return CardFile.load(path)


def _key_of(seed: Secret) -> SigningKey:
    if len(seed) != SEED_BYTES:
        raise SetUpError(f"a card's key is made from {SEED_BYTES} bytes")
    return SigningKey.from_seed(seed)
