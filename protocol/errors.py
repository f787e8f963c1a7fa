"""What can go wrong, and whose fault it is.

::

    KofuError                      the root; carries a sentence that is safe to show
    ├─ TelegramError               the peer's or the wire's fault
    │  ├─ MalformedTelegram 電文不正   bytes that are no telegram of ours; names the field only
    │  ├─ EnvelopeError     封筒不正   too short, too long, unknown version or kind
    │  ├─ SealError         封緘不正   one class and one text whatever failed (no oracle)
    │  ├─ CounterReplayed   再送検知   a counter seen before, or too old to tell
    │  └─ HandshakeFailed   開設失敗   the peer is not who it must be, or the flights are damaged
    │     └─ PeerRefused             the peer is genuine, but not one that is accepted now
    ├─ KeyManagementError          the key store: unknown, revoked, damaged, exists already
    ├─ SetUpError                  configuration, files, a second server: names the way out
    └─ AdapterError                the world: broker unreachable, another process gone
       └─ JournalFailed            the journal is not writable; nothing may be sent after it
    Misuse(RuntimeError)           our own bug; never caught to go on

A refusal to a resident (wrong PIN, unknown card) is a value with a reply code, not an exception.
Peer bytes never raise out of a core object: it turns these errors into events.
"""


class KofuError(Exception):
    """Root of the project's errors; its text holds no secret and no personal data."""


class TelegramError(KofuError):
    """The peer or the wire is to blame."""


class MalformedTelegram(TelegramError):
    """Bytes that are not a telegram of the table.

    Attributes:
        field: path of the field that did not fit, such as ``$.copies``; never its value.
    """

    def __init__(self, field: str) -> None:
        super().__init__(f"telegram does not fit the table at {field}")
        self.field = field


class EnvelopeError(TelegramError):
    """Not an envelope of this version; the text says which rule it broke."""


class SealError(TelegramError):
    """The seal did not open. Which check failed is not told, not even to ourselves."""

    def __init__(self) -> None:
        super().__init__("the seal does not open")


class CounterReplayed(TelegramError):
    """The counter was used before, or lies too far behind the window to tell."""

    def __init__(self, counter: int) -> None:
        super().__init__(f"counter {counter} was used before or is too old")
        self.counter = counter


class HandshakeFailed(TelegramError):
    """The handshake did not end with the peer, the group and the version that it must have."""


class PeerRefused(HandshakeFailed):
    """The peer's key certificate is genuine, but not on the list of those that are accepted."""


class KeyManagementError(KofuError):
    """A key is unknown, revoked, damaged, or would overwrite another."""


class SetUpError(KofuError):
    """Configuration or surroundings are not as needed; the text names the way out."""


class AdapterError(KofuError):
    """Something outside refused: the broker, the disk, another process."""


class JournalFailed(AdapterError):
    """The journal could not be written. Fatal: nothing may be sent after it."""


class Misuse(RuntimeError):
    """Our own code broke a rule of the interface it called."""
