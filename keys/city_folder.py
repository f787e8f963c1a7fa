"""The folder of a city's keys: who holds what, and where it lies.

::

    authority/   authority-ID.key                signs key certificates and terminals' trust
                 terminals/ID/FINGERPRINT.crt    every key certificate given to a terminal
    server/      server-ID.key                   the server's end of every line
                 binding-ID.key                  signs what binds the paper to the applicant
                 checkpoint-ID.key               signs the audit log's checkpoints
                 day-keys/day-DATE.key           wrap the data keys of the issuances
    judge/       pin-opening-ID.key              opens PIN blocks
                 verdict-ID.key                  signs the PIN judge's verdicts
                 pepper-ID.key                   without it the PIN table is worth nothing
    renderer/    code-ID.key                     signs the codes on the sheets
                 back-ID.key                     scrambles the backs of the sheets
    operators/   NAME.key NAME.pub               people, each key under its passphrase; the public
                                                 halves signed by the authority
                 former/NAME-ID.json             public halves that are obeyed no more
    trust/       city.json                       public keys; the one part that everybody reads
                 trust.json                      what terminals are told, signed and numbered
                 jpki/                           what the authority of cards' certificates publishes
    storage/     authority.key server.key judge.key renderer.key

Server, judge and renderer each read their own folder, their own storage key, ``trust/`` and what
they need of the operators' public halves, so that each folder can be given to the process, the user
or the machine that does its work, and ``authority/`` to none of them. A record is worth nothing
without its holder's storage key; ``storage/`` may lie elsewhere altogether.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from keys import file_store
from keys.key_record import KeyRecord, Purpose, load_records
from keys.storage_key import STORAGE_FOLDER, Holder, StorageKey, storage_folder
from protocol.errors import KeyManagementError

TERMINALS_FOLDER = "terminals"
OPERATORS_FOLDER = "operators"
TRUST_FOLDER = "trust"
DAY_KEYS_FOLDER = "day-keys"
JPKI_FOLDER = "jpki"


@dataclass(frozen=True, slots=True)
class CityFolder:
    """A city's key folder.

    Attributes:
        root: the folder.
        storage: where the storage keys lie.
    """

    root: Path
    storage: Path

    @classmethod
    def at(cls, root: Path, storage: Path | None = None, *, configured: Path | None = None) -> Self:
        """Name a city's key folder; nothing is read.

        Args:
            root: the folder.
            storage: where the storage keys lie; None for what the environment variable
                ``KOFU_STORAGE_KEYS`` says.
            configured: where they lie if neither says it; None for ``storage/`` in the folder.
        """
        return cls(root, storage or storage_folder(configured or root / STORAGE_FOLDER))

    def of(self, holder: Holder) -> Path:
        """Return the folder of a holder's records."""
        return self.root / holder.value

    @property
    def trust(self) -> Path:
        """The folder of what is public."""
        return self.root / TRUST_FOLDER

    @property
    def jpki(self) -> Path:
        """The folder of what the authority of cards' certificates publishes."""
        return self.trust / JPKI_FOLDER

    @property
    def operators(self) -> Path:
        """The folder of the operators."""
        return self.root / OPERATORS_FOLDER

    @property
    def terminals(self) -> Path:
        """The folder of the key certificates given to terminals."""
        return self.of(Holder.AUTHORITY) / TERMINALS_FOLDER

    def storage_key(self, holder: Holder) -> StorageKey:
        """Read a holder's storage key.

        Raises:
            KeyManagementError: it is missing or damaged.
        """
        return StorageKey.load(self.storage, holder)

    def records(self, purpose: Purpose) -> list[KeyRecord]:
        """Return the records of one purpose, the oldest first; none if the folder is elsewhere.

        Raises:
            KeyManagementError: one is damaged or readable by others.
        """
        return load_records(self.of(purpose.holder), purpose)

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Hold the folder against other commands while the block runs.

        Raises:
            KeyManagementError: it is no city's key folder, or another command holds it.
        """
        if not self.trust.is_dir():
            raise KeyManagementError(
                f"{self.root} is not a city's key folder; make one: issuance-keys create"
            )
        with file_store.alone(self.root):
            yield
