"""Who plays whom in a replay: terminals, cards and PINs of the city for those of the trace."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from keys.pin_sealing import PIN_DIGITS_MAX, PIN_DIGITS_MIN
from protocol.errors import SetUpError
from protocol.secret import Secret
from terminal_sim.config import CONFIG_FILE, TerminalConfig, find_terminal
from terminal_sim.replay.arguments import COPIES_MAX
from terminal_sim.replay.hand import Hand, Wallet

CARDS_FOLDER = "cards"

_ROW_OF_SAMPLE = re.compile(r"^\|\s*cards/(\S+)\.card\.json\s*\|\s*([0-9]+)\s*\|")
_PIN_LINE = re.compile(r"^\s*(\S+)\s+([0-9]+)\s*$")


class _Copy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who plays whom in one copy."""

    terminals: dict[str, str] = {}
    cards: dict[str, str] = {}


class _Mapping(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    copy: Annotated[list[_Copy], Meta(min_length=1, max_length=COPIES_MAX)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cast:
    """Where players are found.

    Attributes:
        folders: of terminals.
        wallet: cards and PINs.
        copies: who plays whom, for each copy; empty: terminals are taken as they come.
        broker: host and port instead of those in the terminals' files; None: as they say.
    """

    folders: Sequence[Path]
    wallet: Wallet
    copies: Sequence[_Copy] = ()
    broker: tuple[str, int] | None = None
    _configs: dict[str, TerminalConfig] = field(default_factory=dict)

    def hands(self, wanted: Sequence[str], copies: int) -> list[dict[str, Hand]]:
        """Return for each copy who plays the terminals of the trace.

        The first copy has the terminals that the trace names, the others take those that are left.

        Args:
            wanted: ids of the trace's terminals.
            copies: how many copies play at once.

        Raises:
            SetUpError: there are not enough terminals, or one is not there.
        """
        if self.copies:
            return [self._by_mapping(wanted, one) for one in self.copies[:copies]]
        first = {name: self._hand(name, self.wallet) for name in wanted}
        free = self._free(set(wanted))
        made = [first]
        for number in range(1, copies):
            taken = [next(free, None) for _ in wanted]
            if None in taken:
                raise SetUpError(
                    f"there are terminals for {number} copies in "
                    f"{', '.join(map(str, self.folders))}; each copy needs {len(wanted)} of its own"
                )
            made.append(
                {
                    name: self._hand(player, self.wallet)
                    for name, player in zip(wanted, taken, strict=True)
                    if player is not None
                }
            )
        return made

    def _by_mapping(self, wanted: Sequence[str], copy: _Copy) -> dict[str, Hand]:
        wallet = replace(self.wallet, files={**self.wallet.files, **copy.cards}, _cards={})
        return {name: self._hand(copy.terminals.get(name, name), wallet) for name in wanted}

    def _free(self, taken: set[str]) -> Iterator[str]:
        for folder in self.folders:
            for path in sorted(folder.glob(f"*/{CONFIG_FILE}")):
                if path.parent.name not in taken:
                    yield path.parent.name

    def _hand(self, terminal: str, wallet: Wallet) -> Hand:
        config = TerminalConfig.load(find_terminal(terminal, self.folders))
        if self.broker is not None:
            config = replace(config, broker_host=self.broker[0], broker_port=self.broker[1])
        return Hand(config=config, keys=config.load_keys(), wallet=wallet)


def read_mapping(path: Path) -> list[_Copy]:
    """Read who plays whom: TOML with a table ``[[copy]]`` for each copy.

    Raises:
        SetUpError: it cannot be read, or is no such file.
    """
    try:
        return msgspec.toml.decode(path.read_bytes(), type=_Mapping).copy
    except OSError as error:
        raise SetUpError(f"{path} cannot be read: {error.strerror}") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise SetUpError(
            f'{path}: {error}; a copy is [[copy]] with terminals = {{ "LW-0001" = "FM-0002" }} '
            'and cards = { "h001-m1" = "FILE" }'
        ) from None


def read_pins(path: Path) -> Mapping[str, Secret]:
    """Read PINs of cards: lines with a card's name and its PIN, or the README of a sample city.

    Raises:
        SetUpError: it cannot be read, or holds none.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise SetUpError(f"{path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise SetUpError(f"{path} is not UTF-8 text; save it as UTF-8") from None
    found = {}
    for line in text.splitlines():
        row = _ROW_OF_SAMPLE.match(line) or _PIN_LINE.match(line)
        if row is not None and PIN_DIGITS_MIN <= len(row[2]) <= PIN_DIGITS_MAX:
            found[row[1]] = Secret(row[2].encode())
    if not found:
        raise SetUpError(f"{path} holds no PIN; a line has a card's name and its PIN")
    return found
