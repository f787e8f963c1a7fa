"""The folder of a backup: its files, and a signed list of contents.

::

    contents.json   what follows, with digests; signed with the city's checkpoint key
    city.db         the city's database, without content keys
    pin-judge.db    the PIN judge's store
    server.toml     the configuration
    keys/           public halves and lists only: trust/ and operators/

Private keys, storage keys and day keys are no part of it: whoever has a backup has no key.
"""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from issuance_server.adapters.pin_judge import store_file
from issuance_server.adapters.sqlite.schema import SCHEMA_VERSION
from issuance_server.ports import Sign
from protocol.codec import UNREADABLE
from protocol.errors import SetUpError
from protocol.statements import statement

CONTENTS = "contents.json"
CITY = "city.db"
JUDGE = "pin-judge.db"
CONFIG = "server.toml"
_READ_BYTES = 1 << 20
_CONTENTS_BYTES_MAX = 1 << 24

_Digest = Annotated[bytes, Meta(min_length=32, max_length=32)]
SignatureHolds = Callable[[int, bytes, bytes], bool]
"""Tells whether the city signed something: time in ms, signature, statement."""


class BackedFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One file: name inside the folder, length, SHA-256."""

    name: Annotated[
        str, Meta(pattern=r"^[A-Za-z0-9_][A-Za-z0-9._-]*(/[A-Za-z0-9_][A-Za-z0-9._-]*)*$")
    ]
    length_bytes: int
    digest: _Digest


class SignedSize(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The latest signed checkpoint in the backup, for a witness to keep."""

    size: int
    root: bytes
    at_ms: int
    signature: bytes


class Contents(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a backup is.

    Attributes:
        city: municipality code.
        software: what made it.
        made_at_ms: when the snapshots were taken, Unix time in milliseconds.
        schema: version of the city's database.
        judge_schema: version of the PIN judge's store.
        records: how many the journal has.
        checkpoint: the latest that is signed; None: nothing was.
        trust_serial: number of the ``trust.json`` of then.
        cards_apart: cards about which city and judge did not agree.
        files: all of them but the list itself.
        signature: the city's, over all the rest.
        format: this form.
    """

    city: str
    software: str
    made_at_ms: int
    schema: int
    judge_schema: int
    records: int
    checkpoint: SignedSize | None
    trust_serial: int
    cards_apart: int
    files: tuple[BackedFile, ...]
    signature: bytes = b""
    format: Literal["kofu-backup/1"] = "kofu-backup/1"

    def statement(self) -> bytes:
        """Return the bytes that the city signs."""
        unsigned = msgspec.structs.replace(self, signature=b"")
        digest = hashlib.sha256(msgspec.json.encode(unsigned)).digest()
        return statement("backup-contents", self.city, self.made_at_ms, digest)

    def signed(self, sign: Sign) -> "Contents":
        """Return it with the city's signature."""
        return msgspec.structs.replace(self, signature=sign(self.statement()))


def described(folder: Path, name: str) -> BackedFile:
    """Return what the list says of a file."""
    length_bytes, digest = _digest(folder / name)
    return BackedFile(name=name, length_bytes=length_bytes, digest=digest)


def written(contents: Contents) -> bytes:
    """Return the list as its file holds it."""
    return msgspec.json.format(msgspec.json.encode(contents), indent=1) + b"\n"


def read_backup(folder: Path, *, city: str, signature_holds: SignatureHolds) -> Contents:
    """Read the list of contents and hold every file against it.

    Args:
        folder: of the backup.
        city: whose it has to be.
        signature_holds: by the keys that are believed.

    Raises:
        SetUpError: something is missing, damaged, of another city or version; the text says what.
    """
    path = folder / CONTENTS
    try:
        with path.open("rb") as file:
            contents = msgspec.json.decode(file.read(_CONTENTS_BYTES_MAX), type=Contents)
    except OSError as error:
        raise SetUpError(f"{folder} is no whole backup: {path.name}: {error.strerror}") from error
    except UNREADABLE:
        raise SetUpError(f"{path} is damaged, or of another version; take another backup") from None
    if contents.city != city:
        raise SetUpError(f"{folder} is a backup of city {contents.city}, not of {city}")
    if not signature_holds(contents.made_at_ms, contents.signature, contents.statement()):
        raise SetUpError(
            f"{path} is not as this city signed it: it was changed, or the city's keys are others;"
            " take another backup, or the keys of then"
        )
    versions = (contents.schema, contents.judge_schema)
    if versions != (SCHEMA_VERSION, store_file.SCHEMA_VERSION):
        raise SetUpError(
            f"{folder} was made by {contents.software}, whose databases have another form; restore"
            " it with that version"
        )
    for file_there in contents.files:
        _check(folder, file_there)
    return contents


def _check(folder: Path, told: BackedFile) -> None:
    path = folder / told.name
    try:
        found = _digest(path)
    except OSError as error:
        raise SetUpError(
            f"{folder} is no whole backup: {told.name}: {error.strerror}; take another one"
        ) from error
    if found != (told.length_bytes, told.digest):
        raise SetUpError(f"{path} is damaged: it is not what was written; take another backup")


def _digest(path: Path) -> tuple[int, bytes]:
    digest = hashlib.sha256()
    length_bytes = 0
    with path.open("rb") as file:
        while piece := file.read(_READ_BYTES):
            digest.update(piece)
            length_bytes += len(piece)
    return length_bytes, digest.digest()
