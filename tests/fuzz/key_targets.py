"""What reaches the pieces that hold keys: TLS flights, PIN blocks, and files of keys."""

import functools
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.hpke import MLKEM768X25519PublicKey

from keys import file_store, pin_sealing
from keys.cards import CardFile
from keys.city_keys import create_city_keys
from keys.key_certificate import peer_of, public_key_of, read_certificate
from keys.key_record import KeyRecord, read_record
from keys.line_tls import TlsSession
from keys.pin_sealing import PinOpener
from keys.signing import PublicKeyFile, SigningKey
from keys.terminal_keys import create_terminal_keys
from keys.trust import CityTrust, TerminalTrust
from protocol.codec import UNREADABLE
from protocol.errors import HandshakeFailed, KeyManagementError, SealError, SetUpError
from protocol.secret import Secret
from tests.fuzz.target import Edit, Target, demand, edited
from tests.protocol.stand_in import CITY, LINE_ID, TERMINAL
from tests.protocol.tls_ends import TlsEnds, tls_ends
from tests.vectors.reading import octets, vector

NAME_BYTES_MAX = 200


class Flights(msgspec.Struct, frozen=True, array_like=True):
    """An input of the handshake target: what happens to which of the three flights of TLS."""

    number: int
    edits: list[Edit]


_flights_decoder = msgspec.msgpack.Decoder(Flights)


@functools.cache
def _ends() -> TlsEnds:
    """Return keys of a city; new ones in every process."""
    return tls_ends()


def handshake(data: bytes) -> str:
    """Shake hands with one flight changed; an input that is no ``Flights`` is flight 0 itself.

    TLS draws randomness, so an input that changes flight 1 or 2 meets other bytes every time.
    """
    try:
        wanted = _flights_decoder.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError):
        wanted = Flights(0, [Edit(0, 1 << 20, data)])
    ends = _ends()
    terminal, server = ends.terminal.start(), ends.server.start()
    flown, receivers = terminal.step(b""), (server, terminal, server)
    for number, receiver in enumerate(receivers):
        if number == wanted.number % len(receivers):
            flown = edited(flown, wanted.edits)
        try:
            flown = receiver.step(flown)
        except HandshakeFailed:
            _demand_dead(receiver)
            return "refused"
    demand(terminal.done and server.done, "three flights are a handshake")
    demand(terminal.peer() == ends.server_peer, "the server is whom its certificate names")
    demand(server.peer() == ends.terminal_peer, "the terminal is whom its certificate names")
    demand(flown == b"", "no ticket is sent")
    return "agreed" if terminal.export(b"") == server.export(b"") else "disagreed"


def _demand_dead(session: TlsSession) -> None:
    demand(not session.done, "a failed handshake is not done")
    try:
        session.step(b"\x16")
    except HandshakeFailed:
        return
    demand(holds=False, promise="a failed handshake stays failed")


def handshake_seeds() -> tuple[bytes, ...]:
    """Return changes of each flight: none, a byte, a cut, an alert before it, something behind."""
    alert = b"\x15\x03\x03\x00\x02\x02\x28"
    changes: tuple[list[Edit], ...] = (
        [],
        *([Edit(at, 1, b"\x00")] for at in (0, 3, 5, 6, 9, 43, 44, 80, 120, 400, 1_200, -1)),
        [Edit(100, 1 << 20)],
        [Edit(0, 0, alert)],
        [Edit(-1, 0, alert)],
        [Edit(0, 0, b"\x14\x03\x03\x00\x01\x01")],
        [Edit(0, 1 << 20, b"\x16\x03\x01\x00\x04\x01\x00\x00\x00")],
    )
    return tuple(
        msgspec.msgpack.encode(Flights(number, edits)) for number in range(3) for edits in changes
    )


class Block(msgspec.Struct, frozen=True, array_like=True):
    """An input of the PIN block target.

    Attributes:
        info: what the opener takes the block to belong to.
        content: the block, or what was sealed in it.
        sealed: whether to seal the content first, as a dishonest terminal would.
    """

    info: bytes
    content: bytes
    sealed: bool


_block_decoder = msgspec.msgpack.Decoder(Block)


@functools.cache
def _opener() -> PinOpener:
    return PinOpener(Secret(octets(vector("pin_block")["seed_test_only"])))


def pin_block(data: bytes) -> str:
    """Open a PIN block, or a field that was sealed rightly and is anything."""
    try:
        block = _block_decoder.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError):
        block = Block(b"", data, sealed=False)
    content = block.content
    if block.sealed:
        mlkem, x25519 = _opener()._private_key
        public = MLKEM768X25519PublicKey(mlkem.public_key(), x25519.public_key())
        content = pin_sealing._SUITE.encrypt(content, public, block.info)
    try:
        pin = _opener().open(content, block.info).reveal()
    except SealError:
        return "refused behind the seal" if block.sealed else "refused"
    demand(pin.isdigit() and 4 <= len(pin) <= 12, "a PIN has 4 to 12 digits")
    if block.sealed:
        field = (bytes([len(pin)]) + pin).ljust(16, b"\0")
        demand(field == block.content, "a PIN has one form")
    return "opened"


def pin_block_seeds() -> tuple[bytes, ...]:
    """Return the block of the vectors, and fields good and bad."""
    made = vector("pin_block")
    info = octets(made["info"])
    fields = (
        b"\x041234",
        b"\x0c123456789012",
        b"\x05",
        b"\x04123x",
        b"\x0412345",
        b"\x00",
        b"\xff",
    )
    return (
        msgspec.msgpack.encode(Block(info, octets(made["pin_block"]), sealed=False)),
        *(
            msgspec.msgpack.encode(Block(info, field.ljust(16, b"\0"), sealed=True))
            for field in fields
        ),
    )


class KeyFile(msgspec.Struct, frozen=True, array_like=True):
    """An input of the target of key files: how to read it, and what is in it."""

    reader: int
    content: bytes


_file_decoder = msgspec.msgpack.Decoder(KeyFile)


def key_files(data: bytes) -> str:
    """Read a file of one of the kinds that hold keys."""
    try:
        file = _file_decoder.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError):
        file = KeyFile(sum(data[:1]), data[1:])
    reader = _READERS[file.reader % len(_READERS)]
    try:
        reader(file.content)
    except (KeyManagementError, SetUpError):
        return "refused"
    return "read"


@functools.cache
def _folder() -> Path:
    # In memory where there is such a place: only reading is under test.
    place = Path("/dev/shm")  # a folder of its own in it
    kept = tempfile.TemporaryDirectory(dir=place if place.is_dir() else None)
    _kept.append(kept)
    return Path(kept.name)


_kept: list[tempfile.TemporaryDirectory[str]] = []


def _in_file(name: str, content: bytes) -> Path:
    path = _folder() / name
    path.touch(mode=file_store.PRIVATE_FILE_MODE)
    path.write_bytes(content)
    return path


def _certificate(content: bytes) -> None:
    certificate = read_certificate(content)
    public_key_of(certificate)
    peer_of(certificate)


def _public_line(content: bytes) -> None:
    PublicKeyFile.read(_in_file("public", content))


def _terminal_trust(content: bytes) -> None:
    TerminalTrust.load(_in_file(TerminalTrust.FILE, content).parent)


def _city_trust(content: bytes) -> None:
    CityTrust.load(_in_file(CityTrust.FILE, content).parent)


def _key_record(content: bytes) -> None:
    try:
        name = msgspec.json.decode(content, type=KeyRecord).file_name
    except UNREADABLE:
        name = "record"
    if "/" not in name and len(name) < NAME_BYTES_MAX:
        read_record(_in_file(name, content))


_READERS: tuple[Callable[[bytes], object], ...] = (
    _certificate,
    lambda content: SigningKey.from_pem(Secret(content)),
    _public_line,
    _terminal_trust,
    _city_trust,
    lambda content: CardFile.load(_in_file("card", content)),
    lambda content: PinOpener(Secret(content)),
    _key_record,
)


@functools.cache
def key_file_seeds() -> tuple[bytes, ...]:
    """Return every file of a city and its terminal in every reading; the keys are new ones."""
    now = datetime.now(UTC)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        create_city_keys(folder / "keys", CITY, now)
        create_terminal_keys(folder / "keys", TERMINAL, folder / "terminal", LINE_ID, now)
        CardFile.create(folder / "card", holder="見本 太郎")
        PublicKeyFile(name="mihon", key=SigningKey.generate().public_key).write(folder / "public")
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        contents = {path.suffix + path.name[:4]: path.read_bytes() for path in files}
    return tuple(
        msgspec.msgpack.encode(KeyFile(reader, content))
        for content in contents.values()
        for reader in range(len(_READERS))
    )


TARGETS = (
    Target(
        name="handshake",
        run=handshake,
        seeds=handshake_seeds,
        verdicts=frozenset({"agreed", "refused"}),
        input_bytes_max=4_096,
        short_runs=800,
    ),
    Target(
        name="pin-block",
        run=pin_block,
        seeds=pin_block_seeds,
        verdicts=frozenset({"opened", "refused", "refused behind the seal"}),
        input_bytes_max=1_400,
        short_runs=4_000,
    ),
    Target(
        name="key-files",
        run=key_files,
        seeds=key_file_seeds,
        verdicts=frozenset({"read", "refused"}),
        input_bytes_max=4_096,
        short_runs=8_000,
    ),
)
