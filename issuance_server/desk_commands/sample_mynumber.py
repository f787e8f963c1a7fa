"""The sample's 個人番号カード: a simulated authority, cards of it, and what it publishes."""

import hashlib
import secrets
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from issuance_server.adapters.pin_judge.registration import CARD_REF_PREFIX, CARD_REF_RANDOM_BYTES
from issuance_server.core.register import Resident
from keys.city_folder import CityFolder
from keys.jpki import JpkiAuthority, serial_of
from keys.mynumber_card import MyNumberCard
from protocol.secret import Secret

JPKI_FOLDER = "jpki"
SUFFIX = "mynumber"
LIST_DAYS = 366
"""So long the sample works without a new list of what is revoked; a real one is of the day."""
EVERY = 6
"""Of the sample's card holders so many have one card of either kind."""
_PINS = 10_000


def mynumber_holders(holders: Sequence[tuple[str, Resident]]) -> list[tuple[str, Resident]]:
    """Return the names of the card files, such as ``h001-m1.mynumber``, and their holders."""
    return [(f"{name}.{SUFFIX}", holder) for name, holder in holders[::EVERY]]


def mynumber_pin(name: str) -> str:
    """Return the PIN of a card, made from its file's name; another one than the holder's other."""
    digest = hashlib.sha256(f"kofu sample pin {name}".encode()).digest()
    return f"{int.from_bytes(digest[:8], 'big') % _PINS:04d}"


def make_mynumber_cards(
    folder: Path, holders: Sequence[tuple[str, Resident]], now: datetime
) -> list[tuple[str, str, str]]:
    """Make the authority and the cards, and let the city know what the authority publishes.

    Args:
        folder: the sample city's; its keys are there, and ``cards/``.
        holders: everybody who may have a card.
        now: the real time.

    Returns:
        a reference, the 宛名番号 and the certificate's serial for each card.
    """
    authority = JpkiAuthority.create(folder / JPKI_FOLDER, now)
    authority.publish(CityFolder.at(folder / "keys").jpki, now, days=LIST_DAYS)
    made = []
    for name, holder in mynumber_holders(holders):
        card = MyNumberCard.create(
            folder / "cards" / f"{name}.card.json",
            holder=holder.name,
            pin=Secret(mynumber_pin(name).encode()),
            certify=lambda key: authority.issue(key, now=now),
            seed=Secret(hashlib.sha256(f"kofu sample card key {name}".encode()).digest()),
        )
        card_ref = CARD_REF_PREFIX + secrets.token_hex(CARD_REF_RANDOM_BYTES)
        made.append((card_ref, holder.resident_id, serial_of(card.certificate)))
    return made
