"""The signed code: what goes in comes out, nothing else does, and a picture of it can be read."""

import base64
from dataclasses import replace
from datetime import date
from typing import Any

import cbor2
import pytest
import zxingcpp
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from issuance_server.certificates.code import claim as code
from issuance_server.certificates.code.claim import Claim, CodeForged, CodeUnreadable
from issuance_server.certificates.code.line_digests import (
    altered_lines,
    line_digests,
    text_digest,
)
from issuance_server.certificates.code.symbol import (
    LINK_CHARACTERS_MAX,
    QUIET_MODULES,
    Symbol,
    claim_bytes,
    link,
    symbol,
)
from keys.signing import SigningKey
from protocol.errors import SetUpError
from protocol.kinds import Kind
from protocol.secret import Secret

KEY = SigningKey.from_seed(Secret(b"a seed for tests of the code 32."))
KEYS = {code.key_id(KEY.public_key): KEY.public_key}
CLAIM = Claim(
    city="272035",
    number="20261130 豊中市 7E-0001 001 000001",
    sheet=1,
    sheets=2,
    kind=Kind.JUMINHYO,
    issued_on=date(2026, 11, 30),
    specimen=True,
    salt=bytes(range(16)),
    text_digest=bytes(range(32)),
)
PAGE = "https://verify.toyonaka.example/"
SALT = b"salt of sixteen."
LINES = ("見本　健", "昭和59年5月20日", "大阪府豊中市中桜塚3丁目901番1号")


def test_a_signed_claim_is_read_as_it_was_made() -> None:
    """Sign, read back; the same claim gives the same bytes."""
    cose = code.sign(CLAIM, KEY)

    assert CLAIM == code.verified(cose, KEYS)
    assert cose == code.sign(CLAIM, KEY)


@pytest.mark.parametrize("kind", list(Kind), ids=lambda kind: kind.value)
def test_every_kind_of_certificate_can_be_claimed(kind: Kind) -> None:
    """The number of a kind in the code leads back to the kind."""
    claim = replace(CLAIM, kind=kind, specimen=False)

    assert claim == code.verified(code.sign(claim, KEY), KEYS)


def test_the_code_is_plain_cose() -> None:
    """Another implementation sees a COSE_Sign1 with EdDSA, a key id, and three claims."""
    protected, unprotected, payload, signature = cbor2.loads(code.sign(CLAIM, KEY))

    assert {1: -8, 4: code.key_id(KEY.public_key)} == cbor2.loads(protected)
    assert {} == unprotected
    assert {1, 6, -65537} == cbor2.loads(payload).keys()
    assert "jp.272035" == cbor2.loads(payload)[1]
    assert 64 == len(signature)


def test_a_flipped_bit_anywhere_is_noticed() -> None:
    """Whichever bit of the code is changed, it is not taken for genuine."""
    cose = code.sign(CLAIM, KEY)
    for bit in range(len(cose) * 8):
        changed = bytearray(cose)
        changed[bit // 8] ^= 1 << bit % 8
        with pytest.raises((CodeUnreadable, CodeForged)):
            code.verified(bytes(changed), KEYS)


def test_a_key_that_is_not_the_citys_is_named() -> None:
    """A code of somebody else's key is forged, however well it is made."""
    other = SigningKey.generate()

    with pytest.raises(CodeForged, match=code.key_id(other.public_key).hex()):
        code.verified(code.sign(CLAIM, other), KEYS)


@given(st.binary(max_size=600))
def test_bytes_that_are_no_code_are_unreadable(content: bytes) -> None:
    """Whatever a stranger puts into a code, only the two documented errors come of it."""
    with pytest.raises((CodeUnreadable, CodeForged)):
        code.verified(content, KEYS)


@pytest.mark.parametrize(
    "changes",
    [
        {1: "fr.272035"},
        {6: 1 << 70},
        {-65537: ["number", 3, 2, 0, True, bytes(16), bytes(32)]},
        {-65537: ["number", 1, 2, 99, True, bytes(16), bytes(32)]},
        {-65537: ["number", 1, 2, 0, 1, bytes(16), bytes(32)]},
        {-65537: ["number", 1, 2, 0, True, bytes(15), bytes(32)]},
        {-65537: ["n" * 65, 1, 2, 0, True, bytes(16), bytes(32)]},
        {7: "more"},
    ],
    ids=["issuer", "time", "sheet", "kind", "specimen", "salt", "number", "more"],
)
def test_a_well_signed_claim_out_of_range_is_refused(changes: dict[int, Any]) -> None:
    """Even a code that the city signed is read strictly."""
    payload = cbor2.loads(cbor2.loads(code.sign(CLAIM, KEY))[2]) | changes
    protected = cbor2.loads(code.sign(CLAIM, KEY))[0]
    content = cbor2.dumps(payload, canonical=True)
    signed = cbor2.dumps(["Signature1", protected, b"", content], canonical=True)
    cose = cbor2.dumps([protected, {}, content, KEY.sign(signed)], canonical=True)

    with pytest.raises(CodeUnreadable):
        code.verified(cose, KEYS)


def test_the_fragment_is_base32_without_padding() -> None:
    """Other programs read it with what they have for RFC 4648."""
    for length in range(1, 42):
        content = bytes(range(200, 200 + length))

        written = link(PAGE, content).partition("#")[2]

        assert base64.b32encode(content).decode().rstrip("=") == written


def test_the_link_keeps_the_claim_from_the_server() -> None:
    """What a browser sends ends before the fragment, and the claim is in the fragment."""
    cose = code.sign(CLAIM, KEY)
    made = link(PAGE, cose)

    assert PAGE == made.partition("#")[0]
    assert cose == claim_bytes(made)
    assert cose == claim_bytes(made.partition("#")[2])


@pytest.mark.parametrize(
    "text", ["", "https://somewhere.example/", "#", "#1", "#abc!", "#" + "A" * LINK_CHARACTERS_MAX]
)
def test_a_link_without_a_claim_is_unreadable(text: str) -> None:
    """Other people's codes are told from ours."""
    with pytest.raises(CodeUnreadable):
        claim_bytes(text)


def test_a_picture_of_the_code_can_be_read() -> None:
    """Drawn with its quiet zone, a reader finds the link in it."""
    made = link(PAGE, code.sign(CLAIM, KEY))

    assert [made] == [found.text for found in zxingcpp.read_barcodes(picture(symbol(made)))]


def picture(drawn: Symbol, scale: int = 4) -> Image.Image:
    """Draw a code in black on white."""
    side = drawn.modules + 2 * QUIET_MODULES
    image = Image.new("L", (side, side), 255)
    bits = Image.frombytes("1", (drawn.modules, drawn.modules), drawn.rows)
    image.paste(bits.convert("L").point(lambda level: 255 - level), (QUIET_MODULES,) * 2)
    return image.resize((side * scale, side * scale), Image.Resampling.NEAREST)


def test_an_address_that_is_too_long_is_a_matter_of_set_up() -> None:
    """The room on the sheet bounds the address, and the message says so."""
    with pytest.raises(SetUpError, match="too long"):
        symbol(link("https://verify.example/" + "path/" * 40, code.sign(CLAIM, KEY)))


def test_line_digests_say_where_a_sheet_was_altered() -> None:
    """One changed character names its line and no other."""
    digests = line_digests(LINES, salt=SALT, sheet=1)
    altered = (LINES[0], LINES[1].replace("5月", "6月"), LINES[2])

    assert [] == altered_lines(LINES, digests, salt=SALT, sheet=1)
    assert [1] == altered_lines(altered, digests, salt=SALT, sheet=1)
    assert [2] == altered_lines(LINES[:2], digests, salt=SALT, sheet=1)
    assert [3] == altered_lines((*LINES, "余計"), digests, salt=SALT, sheet=1)


def test_line_digests_belong_to_their_place_salt_and_sheet() -> None:
    """Exchanged lines, another certificate's salt or another sheet give other digests."""
    digests = line_digests(LINES, salt=SALT, sheet=1)

    assert digests != line_digests(LINES[::-1], salt=SALT, sheet=1)
    assert digests != line_digests(LINES, salt=bytes(16), sheet=1)
    assert digests != line_digests(LINES, salt=SALT, sheet=2)
    assert 32 == len(text_digest(digests, salt=SALT, sheet=1))
