"""Operators' keys that are obeyed no more (職員鍵の失効): kept, so that old records can be checked.

The record is written before the key leaves the ring, and the ring leaves out every key that has
one, so an operator is out from the first moment on, whenever the process dies.
"""

from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from keys import file_store
from keys.key_record import key_id_of
from keys.names import checked_name
from keys.operator_files import OperatorFile
from keys.signing import PUBLIC_KEY_BYTES
from protocol.codec import UNREADABLE
from protocol.errors import KeyManagementError

FORMER_FOLDER = "former"
REASON_CHARACTERS_MAX = 200


class FormerOperator(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A key that an operator had.

    Attributes:
        operator: whose it was.
        public: the public half, 32 bytes.
        revoked_at: when it left the ring.
        reason: why, 1 to 200 characters.
        format: this form of file.
    """

    operator: str
    public: Annotated[bytes, Meta(min_length=PUBLIC_KEY_BYTES, max_length=PUBLIC_KEY_BYTES)]
    revoked_at: Annotated[datetime, Meta(tz=True)]
    reason: Annotated[str, Meta(min_length=1, max_length=REASON_CHARACTERS_MAX)]
    format: Literal["kofu-former-operator/1"] = "kofu-former-operator/1"

    @property
    def key_id(self) -> str:
        """The key id of the public half."""
        return key_id_of(self.public)


def former_operators(folder: Path) -> list[FormerOperator]:
    """Return the former keys of all operators, the oldest first; none if there is no folder.

    Args:
        folder: the operators' folder.

    Raises:
        KeyManagementError: a file is damaged.
    """
    found = []
    for path in sorted((folder / FORMER_FOLDER).glob("*.json")):
        try:
            found.append(msgspec.json.decode(file_store.read_public(path), type=FormerOperator))
        except UNREADABLE:
            raise KeyManagementError(f"{path} is damaged") from None
    return sorted(found, key=lambda former: former.revoked_at)


def revoke_operator(folder: Path, name: str, reason: str, now: datetime) -> FormerOperator:
    """Take an operator out of the ring for good; the same person can be made an operator anew.

    Args:
        folder: the operators' folder.
        name: the operator's name.
        reason: why, 1 to 200 characters.
        now: the real time, with a time zone.

    Raises:
        KeyManagementError: there is no such operator, or no reason in words.
    """
    checked_name(name, "an operator's name")
    if not 0 < len(reason.strip()) <= REASON_CHARACTERS_MAX:
        raise KeyManagementError(
            f"a revocation needs a reason in words, at most {REASON_CHARACTERS_MAX} characters"
        )
    public_file = folder / f"{name}.pub"
    if public_file.exists():
        former = _kept(folder, name, reason.strip(), now)
    else:
        earlier = [one for one in former_operators(folder) if one.operator == name]
        if not earlier:
            raise KeyManagementError(
                f"there is no operator {name} in {folder}; issuance-keys operator list shows them"
            )
        former = earlier[-1]
    file_store.erase(folder / f"{name}.key")
    file_store.erase(public_file)
    return former


def _kept(folder: Path, name: str, reason: str, now: datetime) -> FormerOperator:
    """Write the record of an operator's present key, unless it is there."""
    public = OperatorFile.read(folder / f"{name}.pub").key
    place = file_store.private_folder(folder / FORMER_FOLDER)
    file_store.clear_leftovers(place)
    path = place / f"{name}-{key_id_of(public)}.json"
    if path.exists():
        return msgspec.json.decode(file_store.read_public(path), type=FormerOperator)
    former = FormerOperator(
        operator=name, public=public, revoked_at=now.replace(microsecond=0), reason=reason
    )
    text = msgspec.json.format(msgspec.json.encode(former), indent=2) + b"\n"
    file_store.write_public(path, text)
    return former
