"""The terminal's configuration: one small TOML file that the city's set-up writes.

Relative paths are relative to the file. Nothing in it is secret; the keys lie in their folder.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Self

import msgspec
from msgspec import Meta

from keys.terminal_keys import TerminalKeys, load_terminal_keys
from protocol.errors import SetUpError

CONFIG_FILE = "terminal.toml"
_TERMINAL_PATTERN = "^[A-Za-z0-9][A-Za-z0-9-]{0,31}$"


class _File(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    terminal: Annotated[str, Meta(pattern=_TERMINAL_PATTERN)]
    city: Annotated[str, Meta(pattern="^[0-9]{6}$")]
    line_id: Annotated[str, Meta(pattern="^[0-9a-f]{16}$")]
    broker_host: Annotated[str, Meta(min_length=1)]
    broker_port: Annotated[int, Meta(ge=1, le=65_535)]
    keys: Annotated[str, Meta(min_length=1)]
    storage: Annotated[str, Meta(min_length=1)]
    chain: str = ""
    store: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TerminalConfig:
    """One terminal, as its file says.

    Attributes:
        path: the file.
        terminal: the terminal's id.
        city: municipality code, 6 digits.
        line_id: 8 bytes.
        broker_host: where the MQTT broker is.
        broker_port: its TCP port.
        keys: the folder that ``issuance-keys`` gave the terminal.
        storage: the folder for journal, spool and coin box.
        chain: who runs the store, for people.
        store: the store's name, for people.
    """

    path: Path
    terminal: str
    city: str
    line_id: bytes
    broker_host: str
    broker_port: int
    keys: Path
    storage: Path
    chain: str
    store: str

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read the file.

        Raises:
            SetUpError: it is missing, or a key is unknown, missing or out of range.
        """
        try:
            file = msgspec.toml.decode(path.read_bytes(), type=_File)
        except OSError as error:
            raise SetUpError(f"{path} cannot be read: {error.strerror}") from None
        except UnicodeDecodeError:
            raise SetUpError(f"{path} is not UTF-8 text; save it as UTF-8") from None
        except msgspec.DecodeError as error:
            raise SetUpError(f"{path}: {error}") from None
        folder = path.parent
        return cls(
            path=path,
            terminal=file.terminal,
            city=file.city,
            line_id=bytes.fromhex(file.line_id),
            broker_host=file.broker_host,
            broker_port=file.broker_port,
            keys=folder / file.keys,
            storage=folder / file.storage,
            chain=file.chain,
            store=file.store,
        )

    def load_keys(self) -> TerminalKeys:
        """Read the terminal's keys, and see that they are this terminal's.

        Raises:
            SetUpError: they are for another terminal, city or line.
            KeyManagementError: they are missing or damaged.
        """
        keys = load_terminal_keys(self.keys)
        found = (keys.terminal_id, keys.trust.city, keys.line_id)
        if found != (self.terminal, self.city, self.line_id):
            raise SetUpError(
                f"{self.keys} holds the keys of terminal {keys.terminal_id} for city "
                f"{keys.trust.city}, and {self.path} is about {self.terminal} for {self.city}; "
                "give the terminal the folder that was made for it"
            )
        return keys


def find_terminal(terminal: str, folders: Sequence[Path]) -> Path:
    """Return the configuration file of a terminal.

    Args:
        terminal: a path to the file or to its folder, or the terminal's id.
        folders: where folders of terminals, named by their ids, are looked for, in this order.

    Raises:
        SetUpError: there is none; the text names the terminals that there are.
    """
    named = Path(terminal)
    for path in (named, named / CONFIG_FILE, *(f / terminal / CONFIG_FILE for f in folders)):
        if path.is_file():
            return path
    there = sorted({path.parent.name for f in folders for path in f.glob(f"*/{CONFIG_FILE}")})
    known = f"there are: {', '.join(there)}" if there else "there are none"
    raise SetUpError(
        f"no terminal {terminal} in {', '.join(map(str, folders))} ({known}); "
        "make a sample city first, or say where it is with --terminals"
    )
