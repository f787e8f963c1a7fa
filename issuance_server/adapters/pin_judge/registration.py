"""Registration of cards: what the judge keeps of one, and the way to do it without a server."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from secrets import token_bytes

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC

from issuance_server.adapters.file_lock import LOCK_WAIT_MS_MAX
from issuance_server.adapters.pin_judge.store import CardRow, JudgeStore
from issuance_server.adapters.pin_judge.tries import Enrolment
from keys.cards import CARD_NUMBER_BYTES
from keys.city_keys import JudgeKeys
from keys.key_ring import PepperRing
from keys.pepper import SALT_BYTES, Pepper, pin_verifier
from keys.pin_sealing import PIN_DIGITS_MAX, PIN_DIGITS_MIN
from keys.signing import PUBLIC_KEY_BYTES
from protocol.errors import KeyManagementError
from protocol.secret import Secret
from protocol.statements import statement

CARD_REF_RANDOM_BYTES = 8
CARD_REF_PREFIX = "card-"

_DIGITS = frozenset(b"0123456789")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCard:
    """A card to register.

    Attributes:
        number: card number, 16 bytes.
        public_key: Ed25519, 32 bytes.
        pin: 4 to 12 digits in ASCII.
    """

    number: bytes
    public_key: bytes
    pin: Secret

    def __repr__(self) -> str:
        return "NewCard(***)"


async def open_store(
    path: Path, keys: JudgeKeys, *, lock_wait_ms: int = LOCK_WAIT_MS_MAX
) -> JudgeStore:
    """Open the store that belongs to a judge's keys, or begin it.

    Raises:
        SetUpError: it is in use, of another city or pepper, or no such store.
    """
    return await JudgeStore.open(
        path, city=keys.city, pepper_ids=keys.peppers.key_ids, lock_wait_ms=lock_wait_ms
    )


async def register_offline(
    path: Path,
    keys: JudgeKeys,
    cards: Iterable[NewCard],
    random_bytes: Callable[[int], bytes] = token_bytes,
) -> list[str]:
    """Register cards while no judge runs, all or none.

    Args:
        path: the judge's database, begun if it is not there.
        keys: the judge's keys.
        cards: any number; a whole city is one transaction.
        random_bytes: draws references and salts; a sample that must come out the same gives its
            own.

    Returns:
        the cards' random references, in the same order.

    Raises:
        SetUpError: the store is in use, of another city or pepper, or no such store.
        KeyManagementError: a card is registered already, or something is out of range.
    """
    store = await open_store(path, keys)
    try:
        rows = [card_row(keys.peppers, card, random_bytes) for card in cards]
        await store.register(rows)
    finally:
        await store.close()
    return [row.card_ref for row in rows]


def card_index(pepper: Secret, number: bytes) -> bytes:
    """Return what a card is found by in the store: useless to whoever has not the pepper."""
    mac = HMAC(pepper.reveal(), SHA256())
    mac.update(statement("card-index", number))
    return mac.finalize()


def card_row(peppers: PepperRing, card: NewCard, random_bytes: Callable[[int], bytes]) -> CardRow:
    """Return what is kept of a new card, under the newest pepper.

    Raises:
        KeyManagementError: number, key or PIN are none.
    """
    if len(card.number) != CARD_NUMBER_BYTES or len(card.public_key) != PUBLIC_KEY_BYTES:
        raise KeyManagementError(
            f"a card has a number of {CARD_NUMBER_BYTES} bytes"
            f" and a public key of {PUBLIC_KEY_BYTES} bytes"
        )
    digits = card.pin.reveal()
    if not (PIN_DIGITS_MIN <= len(digits) <= PIN_DIGITS_MAX and _DIGITS.issuperset(digits)):
        raise KeyManagementError(f"a PIN has {PIN_DIGITS_MIN} to {PIN_DIGITS_MAX} digits")
    enrolled = enrol(peppers.newest(), card.number, card.pin, random_bytes)
    indexes = (card_index(pepper.secret, card.number) for pepper in peppers.accepted())
    return CardRow(
        card_ref=CARD_REF_PREFIX + random_bytes(CARD_REF_RANDOM_BYTES).hex(),
        public_key=card.public_key,
        enrolled=enrolled,
        former_indexes=tuple(index for index in indexes if index != enrolled.card_index),
    )


def enrol(
    pepper: Pepper, number: bytes, pin: Secret, random_bytes: Callable[[int], bytes]
) -> Enrolment:
    """Return what is kept of a card's PIN under a pepper.

    Args:
        pepper: the newest one.
        number: card number, 16 bytes.
        pin: the digits in ASCII.
        random_bytes: draws the salt.
    """
    salt = random_bytes(SALT_BYTES)
    return Enrolment(
        card_index=card_index(pepper.secret, number),
        salt=salt,
        verifier=pin_verifier(pepper.secret, number, salt, pin),
        pepper=pepper.key_id,
    )
