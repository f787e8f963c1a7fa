"""The scanner finds a planted canary in every spelling and wrapping, and nothing where none is."""

import base64
import binascii
import gzip
import json
import quopri
import random
import zlib
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.leaks.canaries import ENCODINGS, Canary, Finding, Scanner, half_width

NAME = "鸚哥金糸雀"
KANA = "かなりや　すずめ"
LATIN = "Kanarienvogel"
PIN = "739105248617"
NUMBER = bytes.fromhex("c9a4f0175be3d28866107fa3194c5eb2")
CANARIES = (
    Canary(name="name", text=NAME),
    Canary(name="kana", text=KANA),
    Canary(name="latin", text=LATIN),
    Canary(name="pin", text=PIN),
    Canary(name="number", octets=NUMBER),
)
NOISE_BYTES = 3_001


def noise(seed: int, count: int = NOISE_BYTES) -> bytes:
    """Return bytes like those of a ciphertext."""
    return random.Random(seed).randbytes(count)


def hidden(written: bytes, seed: int = 1) -> bytes:
    """Put something between noise, at an odd place."""
    return noise(seed) + b" " + written + b" " + noise(seed + 1)


def names(found: list[Finding]) -> set[str]:
    """Return which canaries were found."""
    return {finding.canary for finding in found}


@pytest.fixture(scope="module")
def scanner() -> Scanner:
    """A scanner for all canaries of this module."""
    return Scanner(CANARIES)


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize(("name", "text"), [("name", NAME), ("kana", KANA), ("latin", LATIN)])
def test_every_encoding_of_text(scanner: Scanner, encoding: str, name: str, text: str) -> None:
    """A name is found in each of the encodings, also in the midst of other text."""
    written = f"見本{text}様".encode(encoding)

    assert name in names(scanner.scan(hidden(written)))


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("kana", half_width("カナリヤ スズメ")),
        ("kana", "ｶﾅﾘﾔ ｽｽﾞﾒ"),
        ("kana", "カナリヤ　スズメ"),
        ("kana", "かなりやすずめ"),
        ("kana", "かなりや すす\u3099め"),
        ("name", NAME[::-1]),
        ("latin", "Ｋａｎａｒｉｅｎｖｏｇｅｌ"),
        ("latin", "kanarienvogel"),
        ("pin", "７３９１０５２４８６１７"),
        ("pin", PIN[::-1]),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-be"])
def test_every_writing_of_the_same(
    scanner: Scanner, name: str, written: str, encoding: str
) -> None:
    """Half-width, full-width, the other kana, decomposed, without spaces, small, backwards."""
    assert name in names(scanner.scan(hidden(written.encode(encoding))))


def test_half_width_kana_in_shift_jis(scanner: Scanner) -> None:
    """The single bytes of old systems are found, with the sound marks that follow their letter."""
    assert "kana" in names(scanner.scan(hidden("ｶﾅﾘﾔ ｽｽﾞﾒ".encode("cp932"))))


@pytest.mark.parametrize(
    "written",
    [
        bytes.fromhex(PIN),
        bytes.fromhex("0" + PIN + "f"),
        bytes.fromhex("371950426871"),
        int(PIN).to_bytes(8, "big"),
        int(PIN).to_bytes(8, "little"),
        PIN.encode()[::-1],
    ],
    ids=["packed", "from the other nibble", "swapped", "big-endian", "little-endian", "backwards"],
)
def test_digits_that_are_no_text(scanner: Scanner, written: bytes) -> None:
    """A PIN is found as packed digits and as a number, too."""
    assert "pin" in names(scanner.scan(hidden(written)))


WRAPPINGS: dict[str, Callable[[bytes], bytes]] = {
    "bare": bytes,
    "base64 at offset 0": base64.b64encode,
    "base64 at offset 1": lambda raw: base64.b64encode(b"." + raw),
    "base64 at offset 2": lambda raw: base64.b64encode(b".." + raw),
    "base64 for URLs at offset 0": base64.urlsafe_b64encode,
    "base64 for URLs at offset 1": lambda raw: base64.urlsafe_b64encode(b"." + raw),
    "base64 for URLs at offset 2": lambda raw: base64.urlsafe_b64encode(b".." + raw),
    "base64 after other letters": lambda raw: b"abcde" + base64.b64encode(raw),
    "hexadecimal": lambda raw: raw.hex().encode(),
    "capital hexadecimal": lambda raw: raw.hex().upper().encode(),
    "hexadecimal with colons": lambda raw: raw.hex(":").encode(),
    "hexadecimal at the odd digit": lambda raw: b"a" + raw.hex().encode(),
    "a dump": lambda raw: raw.hex(" ").encode(),
    "percent": lambda raw: quote(raw).encode(),
    "small percent": lambda raw: b"".join(b"%%%02x" % octet for octet in raw),
    "every byte in percent": lambda raw: b"".join(b"%%%02X" % octet for octet in raw),
    "repr of bytes": lambda raw: repr(raw).encode(),
    "repr of a repr": lambda raw: repr(repr(raw)).encode(),
    "octal": lambda raw: "".join(f"\\{octet:03o}" for octet in raw).encode(),
    "quoted-printable": quopri.encodestring,
    "zlib": zlib.compress,
    "zlib, stored": lambda raw: zlib.compress(raw, 0),
    "gzip": gzip.compress,
    "gzip, broken off": lambda raw: gzip.compress(raw + noise(5))[:-700],
    "gzip in base64 in hexadecimal": lambda raw: (
        base64.b64encode(gzip.compress(raw)).hex().encode()
    ),
}


@pytest.mark.parametrize("wrap", WRAPPINGS.values(), ids=WRAPPINGS)
@pytest.mark.parametrize("encoding", ["utf-8", "cp932", "utf-16-le"])
def test_every_wrapping(
    scanner: Scanner, tmp_path: Path, wrap: Callable[[bytes], bytes], encoding: str
) -> None:
    """In a file, under each wrapping, every kind of canary is found."""
    for canary in CANARIES:
        raw = canary.octets or canary.text.encode(encoding)
        file = tmp_path / canary.name
        file.write_bytes(hidden(wrap(raw)))

        assert {canary.name} == names(scanner.scan(file.read_bytes()))


@pytest.mark.parametrize(
    "write",
    [
        json.dumps,
        lambda text: json.dumps(json.dumps(text)),
        ascii,
        lambda text: "".join(f"\\u{ord(letter):04X}" for letter in text),
        lambda text: "".join(f"\\U{ord(letter):08x}" for letter in text),
        lambda text: "".join(f"&#{ord(letter)};" for letter in text),
        lambda text: "".join(f"&#x{ord(letter):x};" for letter in text),
    ],
)
@pytest.mark.parametrize(("name", "text"), [("name", NAME), ("kana", KANA), ("pin", PIN)])
def test_escaped_characters(
    scanner: Scanner, name: str, text: str, write: Callable[[str], str]
) -> None:
    """JSON, Python and HTML write characters as numbers; they are found."""
    assert name in names(scanner.scan(hidden(write(text).encode())))


def test_place_and_way_are_told(scanner: Scanner) -> None:
    """A finding says where it was and what had to be taken off."""
    (found,) = {
        (finding.offset, finding.way[0])
        for finding in scanner.scan(bytes(100) + NUMBER)
        if finding.canary == "number"
    }
    assert (100, "raw") == found
    ways = {finding.way[:2] for finding in scanner.scan(gzip.compress(base64.b64encode(NUMBER)))}
    assert ("compressed", "base64") in ways


@pytest.mark.parametrize("place", range(8))
def test_no_place_is_overlooked(scanner: Scanner, place: int) -> None:
    """Whatever the alignment, at the beginning and at the very end, a canary is found."""
    assert "pin" in names(scanner.scan(bytes(place) + PIN.encode()))
    assert "pin" in names(scanner.scan(PIN.encode() + bytes(place)))


def test_nothing_is_found_where_nothing_is(scanner: Scanner) -> None:
    """A megabyte of noise, and text about other people, hold no canary."""
    text = json.dumps({"name": "見本　太郎", "pin": "840216359728", "hex": noise(1, 64).hex()})

    assert [] == scanner.scan(noise(3, 1 << 20) + text.encode() * 100)
    assert [] == scanner.scan(b"")


def test_damaged_wrappings_end_nothing(scanner: Scanner) -> None:
    """Broken streams, odd digits and wrong escapes are passed over."""
    broken = [
        b"\x1f\x8b\x08" * 50,
        b"\x78\x9c" + noise(1, 500),
        b"%zz%1" * 20,
        rb"\u12 \xg1 \777 &#99999999; \Uffffffff" * 3,
        b"A" * 5_001,
        binascii.hexlify(noise(2))[:-1],
    ]
    assert [] == scanner.scan(b" ".join(broken))
