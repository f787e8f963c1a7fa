"""Records of lines, and of the list of terminals."""

from issuance_server.core.records.base import HouseRecord, Record
from issuance_server.core.terminal_place import TerminalClass
from protocol.telegrams import Counters


class LineOpened(Record, frozen=True, kw_only=True, tag="line-opened"):
    """A terminal took up business on a day; its counters start at zero."""

    terminal: str
    software: str
    day: str


class LineClosed(HouseRecord, frozen=True, kw_only=True, tag="line-closed"):
    """A terminal ended business (閉局).

    Attributes:
        terminal: its id.
        day: the day that it counts in.
        ours: what the server counted since the opening.
        theirs: what the terminal says that it counted.
    """

    terminal: str
    day: str
    ours: Counters
    theirs: Counters

    @property
    def counters_agree(self) -> bool:
        """Whether both sides counted the same (精査)."""
        return self.ours == self.theirs


class LineStopped(Record, frozen=True, kw_only=True, tag="line-stopped"):
    """An integrity alarm or failed prints stopped a terminal's line; reopening is for people."""

    terminal: str
    issuance_id: bytes
    reason: str


class LineReopened(Record, frozen=True, kw_only=True, tag="line-reopened"):
    """Two operators let a terminal that was stopped go on; its failed prints count anew."""

    terminal: str
    operators: tuple[str, str]


class TerminalRegistered(HouseRecord, frozen=True, kw_only=True, tag="terminal-registered"):
    """A new terminal is on the list.

    Attributes:
        terminal: its id.
        line_id: its line.
        fingerprint: SHA-256 of its first key certificate.
        report_public_key: the certificate's key, which checks its reports.
        until_ms: when the certificate expires.
        chain: who runs the store.
        store: the store's name.
        in_city: whether it stands in the city.
        terminal_class: what kind of machine it is; records from before there were two name none.
    """

    terminal: str
    line_id: bytes
    fingerprint: bytes
    report_public_key: bytes
    until_ms: int
    chain: str
    store: str
    in_city: bool
    terminal_class: TerminalClass = TerminalClass.STORE


class TerminalRenewed(HouseRecord, frozen=True, kw_only=True, tag="terminal-renewed"):
    """A terminal has a further key certificate; those before it end at ``others_until_ms``."""

    terminal: str
    fingerprint: bytes
    report_public_key: bytes
    until_ms: int
    others_until_ms: int


class TerminalRevoked(Record, frozen=True, kw_only=True, tag="terminal-revoked"):
    """A terminal is off the list for ever, with all its key certificates."""

    terminal: str
