"""The checked-in vectors are what the generator makes, and the protocol agrees with each of them.

Apart from the first test nothing here calls the generator: the vectors are read as another
implementation would read them.
"""

import hashlib
from collections.abc import Callable
from typing import Any, get_args

import msgspec
import pytest

from keys.operators import OperatorAct
from keys.pin_sealing import PIN_BLOCK_BYTES, PinOpener
from keys.signing import SigningKey
from protocol import codec, sealed_certificate
from protocol.binding import Binding
from protocol.checkpoint import checkpoint_statement
from protocol.envelope import Direction, EnvelopeKind, generation_of, parse, read_flight
from protocol.errors import EnvelopeError, MalformedTelegram, SealError
from protocol.key_schedule import DirectionKeys, direction_keys, export_context
from protocol.page_digest import page_digests
from protocol.sealing import Opener, Sealer
from protocol.secret import Secret
from protocol.sheet_digest import sheet_digest, sheet_digests
from protocol.statements import (
    card_proof,
    certificate_proof,
    certificate_signature_holds,
    pin_block_info,
    signature_holds,
    statement,
)
from protocol.telegrams import AnyTelegram
from protocol.terminal_statements import DeletionReport, PrintReport
from tests.vectors import card_certificate
from tests.vectors.reading import FOLDER, flipped, octets, plain, vector
from tools.make_vectors import files, kept_pin_block

KEY_SCHEDULE = vector("key_schedule")
ENVELOPES = vector("envelopes")
TELEGRAMS = vector("telegrams")["telegrams"]
STATEMENTS = vector("statements")["statements"]
PIN_BLOCK = vector("pin_block")
SEALED = vector("sealed_certificate")
PAGE = vector("page_digest")

DIRECTIONS = {"up": Direction.UP, "down": Direction.DOWN}


def telegram_name(case: dict[str, Any]) -> str:
    """Name a case after its telegram."""
    return str(case["fields"]["telegram"])


def sealed_name(case: dict[str, Any]) -> str:
    """Name a case after its direction and counter."""
    return f"{case['direction']}-{case['counter']}"


def keys_of(direction: Direction) -> DirectionKeys:
    """Return the keys that the key schedule's vector states."""
    stated = KEY_SCHEDULE["directions"][direction.name.lower()]
    return DirectionKeys(
        key=Secret(octets(stated["key_test_only"])),
        nonce_base=Secret(octets(stated["nonce_base_test_only"])),
    )


def test_regeneration_changes_nothing() -> None:
    """The generator makes, byte for byte, exactly the files that are checked in."""
    checked_in = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.json")}

    assert checked_in == files(kept_pin_block())


def test_every_vector_says_what_it_is() -> None:
    """Each file has a description and names its source."""
    for path in FOLDER.glob("*.json"):
        content = vector(path.stem)
        assert content["description"]
        assert content["source"]


def test_key_schedule() -> None:
    """Context and keys follow from the stated ids and secret; one changed byte gives others."""
    line_id = octets(KEY_SCHEDULE["line_id"])
    exported = octets(KEY_SCHEDULE["exported_secret_test_only"])
    context = export_context(
        city=KEY_SCHEDULE["city"],
        terminal=KEY_SCHEDULE["terminal"],
        line_id=line_id,
        generation=KEY_SCHEDULE["generation"],
    )

    assert KEY_SCHEDULE["exporter_context"] == context.hex()
    for direction in Direction:
        first_byte = 0 if direction is Direction.UP else 32
        assert keys_of(direction) == direction_keys(Secret(exported), direction, context)
        for secret, bound in (
            (flipped(exported, first_byte), context),
            (exported, flipped(context, -1)),
        ):
            others = direction_keys(Secret(secret), direction, bound)
            assert keys_of(direction).key != others.key
            assert keys_of(direction).nonce_base != others.nonce_base


@pytest.mark.parametrize("case", ENVELOPES["telegrams"], ids=sealed_name)
def test_sealed_telegrams(case: dict[str, Any]) -> None:
    """Each opens under the stated keys and is sealed to the same bytes again."""
    envelope = parse(octets(case["header"] + case["body"]))
    keys = keys_of(DIRECTIONS[case["direction"]])
    sealer = Sealer(
        keys,
        direction=DIRECTIONS[case["direction"]],
        generation=KEY_SCHEDULE["generation"],
        line_id=octets(KEY_SCHEDULE["line_id"]),
    )
    sealer.next_counter = case["counter"]

    assert envelope.kind is EnvelopeKind.TELEGRAM
    assert case["counter"] == envelope.counter
    assert case["plaintext"] == Opener(keys).open(envelope).hex()
    assert envelope == sealer.seal(octets(case["plaintext"]))


@pytest.mark.parametrize("case", ENVELOPES["telegrams"], ids=sealed_name)
def test_sealed_telegrams_with_a_flipped_byte(case: dict[str, Any]) -> None:
    """Whichever byte of header or body is changed, the envelope is refused."""
    message = octets(case["header"] + case["body"])
    opener = Opener(keys_of(DIRECTIONS[case["direction"]]))

    for place in range(len(message)):
        with pytest.raises((EnvelopeError, SealError)):
            opener.open(parse(flipped(message, place)))


@pytest.mark.parametrize("case", ENVELOPES["flights"], ids=sealed_name)
def test_flights(case: dict[str, Any]) -> None:
    """A flight is read; a changed generation or handshake id is refused."""
    message = octets(case["header"] + case["body"])
    envelope = parse(message)
    handshake_id, tls = read_flight(envelope)

    assert EnvelopeKind.KEY_EXCHANGE is envelope.kind
    assert (case["handshake_id"], case["counter"]) == (handshake_id.hex(), envelope.counter)
    assert case["body"] == (handshake_id + tls).hex()
    assert generation_of(handshake_id) == envelope.generation
    for place in (0, 1, 2, 3, 4, 7, 24, 27):
        with pytest.raises(EnvelopeError):
            read_flight(parse(flipped(message, place, 0x80)))


def test_rejection() -> None:
    """A rejection is a bare header that names a generation and a counter; its form is fixed."""
    (case,) = ENVELOPES["rejections"]
    envelope = parse(octets(case["header"]))

    assert EnvelopeKind.REJECTION is envelope.kind
    assert Direction.DOWN is envelope.direction
    assert (case["counter"], "") == (envelope.counter, case["body"])
    assert case["header"] == envelope.pack().hex()
    for place in range(4):
        with pytest.raises(EnvelopeError):
            parse(flipped(octets(case["header"]), place, 0x80))


@pytest.mark.parametrize("case", ENVELOPES["refused"], ids=lambda case: case["why"])
def test_what_is_no_envelope(case: dict[str, str]) -> None:
    """Messages that are no envelopes are refused."""
    with pytest.raises(EnvelopeError):
        parse(octets(case["message"]))


def test_every_kind_of_telegram_has_a_vector() -> None:
    """No kind is forgotten and none is there twice."""
    kinds = [kind.__struct_config__.tag for kind in get_args(AnyTelegram)]

    assert kinds == [telegram_name(case) for case in TELEGRAMS]


@pytest.mark.parametrize("case", TELEGRAMS, ids=telegram_name)
def test_telegrams(case: dict[str, Any]) -> None:
    """The stated fields are in the MessagePack, and the codec reads and writes the same bytes."""
    packed = octets(case["packed"])
    plaintext = padded(packed, case["plaintext_bytes"])

    assert plain(case["fields"]) == msgspec.msgpack.decode(packed)
    assert case["plaintext_digest"] == codec.digest(plaintext).hex()
    assert plaintext == codec.encode(codec.decode(plaintext))


@pytest.mark.parametrize("case", TELEGRAMS, ids=telegram_name)
def test_telegrams_with_a_flipped_byte(case: dict[str, Any]) -> None:
    """A changed length, map header, tag or padding is refused."""
    packed = octets(case["packed"])
    plaintext = padded(packed, case["plaintext_bytes"])
    tag = plaintext.index(b"\xa8telegram") + 1

    for place in (0, 3, 4, tag, 4 + len(packed), -1):
        with pytest.raises(MalformedTelegram):
            codec.decode(flipped(plaintext, place))


def padded(packed: bytes, plaintext_bytes: int) -> bytes:
    """Return the plaintext of packed fields, as TP-040 says."""
    return (len(packed).to_bytes(4, "big") + packed).ljust(plaintext_bytes, b"\0")


def binding_statement(**fields: Any) -> bytes:
    """Return a binding's statement from the flat list of its fields."""
    options = {name: fields.pop(f"options.{name}") for name in ("scope", "members", "items")}
    return msgspec.convert({**fields, "options": options}, Binding).statement()


def print_report_statement(*, terminal: str, sheets_unknown: int, **fields: Any) -> bytes:
    """Return a print report's statement; the flag is a number in it."""
    report = {**fields, "sheets_unknown": bool(sheets_unknown)}
    return msgspec.convert(report, PrintReport).statement(terminal)


def deletion_report_statement(*, terminal: str, **fields: Any) -> bytes:
    """Return a deletion report's statement."""
    return msgspec.convert(fields, DeletionReport).statement(terminal)


def operator_act_statement(**fields: Any) -> bytes:
    """Return an operator act's statement."""
    return msgspec.convert(fields, OperatorAct).statement()


def certificate_proof_statement(certificate_digest: bytes, **bound: Any) -> bytes:
    certificate = card_certificate.certificate()
    assert certificate_digest == hashlib.sha256(certificate).digest()
    return certificate_proof(**bound, certificate=certificate)


BUILDERS: dict[str, Callable[..., bytes]] = {
    "card-proof": card_proof,
    "pin-block": pin_block_info,
    "certificate-proof": certificate_proof_statement,
    "binding": binding_statement,
    "print-report": print_report_statement,
    "deletion-report": deletion_report_statement,
    "operator-act": operator_act_statement,
    "audit-checkpoint": checkpoint_statement,
}


@pytest.mark.parametrize("case", STATEMENTS, ids=lambda case: case["label"])
def test_statements(case: dict[str, Any]) -> None:
    """The stated fields in their order, and the code that builds the statement, give the bytes."""
    fields = [(field["name"], plain(field["value"])) for field in case["fields"]]
    values = [value for _, value in fields]
    canonical = b"kofu/1/" + case["label"].encode() + b"\0" + msgspec.msgpack.encode(values)

    assert case["statement"] == canonical.hex()
    assert case["statement"] == statement(case["label"], *values).hex()
    assert case["statement"] == BUILDERS[case["label"]](**dict(fields)).hex()


def test_every_statement_has_a_vector() -> None:
    """The statements of the vectors are those that can be built."""
    assert list(BUILDERS) == [case["label"] for case in STATEMENTS]


@pytest.mark.parametrize(
    "case",
    [case for case in STATEMENTS if "signature" in case],
    ids=lambda case: case["label"],
)
def test_signatures(case: dict[str, Any]) -> None:
    """The test key makes the signature, it holds, and no changed byte of either side does."""
    key = SigningKey.from_seed(Secret(octets(case["seed_test_only"])))
    signed, signature = octets(case["statement"]), octets(case["signature"])

    assert case["public_key"] == key.public_key.hex()
    assert signature == key.sign(signed)
    assert signature_holds(key.public_key, signature, signed)
    for place in (0, 8, len(signed) // 2, -1):
        assert not signature_holds(key.public_key, signature, flipped(signed, place))
    for place in (0, 31, 32, 63):
        assert not signature_holds(key.public_key, flipped(signature, place), signed)


def test_signature_of_a_certificate() -> None:
    """The card's signature in the telegram holds over the certificate proof of the statements."""
    (sent,) = (case for case in TELEGRAMS if telegram_name(case) == "authenticate-certificate")
    (signed,) = (one["statement"] for one in STATEMENTS if one["label"] == "certificate-proof")
    signature = plain(sent["fields"])["card_signature"]
    key = card_certificate.key("card").public_key()

    assert certificate_signature_holds(key, signature, octets(signed))
    assert not certificate_signature_holds(key, flipped(signature, 40), octets(signed))
    assert not certificate_signature_holds(key, signature, flipped(octets(signed), -1))


def test_pin_block() -> None:
    """The kept block opens to its PIN, and with any changed byte it does not."""
    opener = PinOpener(Secret(octets(PIN_BLOCK["seed_test_only"])))
    block, info = octets(PIN_BLOCK["pin_block"]), octets(PIN_BLOCK["info"])
    (bound,) = (case["statement"] for case in STATEMENTS if case["label"] == "pin-block")

    assert PIN_BLOCK["public_key"] == opener.public_key.hex()
    assert PIN_BLOCK_BYTES == len(block)
    assert bound == info.hex()
    assert PIN_BLOCK["pin_test_only"].encode() == opener.open(block, info).reveal()
    for changed, bound_to in (
        (flipped(block, 0), info),
        (flipped(block, 1_119), info),
        (flipped(block, 1_120), info),
        (flipped(block, -1), info),
        (block, flipped(info, -1)),
    ):
        with pytest.raises(SealError):
            opener.open(changed, bound_to)


def test_sealed_certificate() -> None:
    """The PDF seals to the stated ciphertext, which opens again; a changed byte spoils it."""
    pdf, sheets = octets(SEALED["pdf"]), SEALED["sheets"]
    key, issuance_id = (
        Secret(octets(SEALED["content_key_test_only"])),
        octets(SEALED["issuance_id"]),
    )
    sealed = sealed_certificate.seal(pdf, sheets=sheets, key=key, issuance_id=issuance_id)

    assert SEALED["sealed_bytes"] == len(sealed) == 131_072 * (1 + sheets) + 16
    assert SEALED["sealed_digest"] == hashlib.sha256(sealed).hexdigest()
    assert (SEALED["sealed_first"], SEALED["sealed_tag"]) == (sealed[:32].hex(), sealed[-16:].hex())
    for changed, bound_to in (
        (flipped(sealed, 0), issuance_id),
        (flipped(sealed, 200_000), issuance_id),
        (flipped(sealed, -1), issuance_id),
        (sealed, flipped(issuance_id, 0)),
    ):
        with pytest.raises(SealError):
            sealed_certificate.open_sealed(changed, sheets=sheets, key=key, issuance_id=bound_to)
    opened = sealed_certificate.open_sealed(sealed, sheets=sheets, key=key, issuance_id=issuance_id)
    assert pdf == opened


def test_page_digest() -> None:
    """The form written by hand has the page's digest; one changed glyph has another."""
    pdf, form = octets(PAGE["pdf"]), octets(PAGE["form"])
    (digest,) = page_digests(pdf)

    assert PAGE["pdf_text"].encode() == pdf
    assert [digest.hex()] == PAGE["page_digests"]
    assert digest == hashlib.sha256(b"kofu-page-1\n" + form).digest()
    assert (digest,) != page_digests(flipped(pdf, pdf.index(b"MIHON")))
    with pytest.raises(MalformedTelegram):
        page_digests(flipped(pdf, pdf.index(b"startxref") + len("startxref\n")))


def test_sheet_digest() -> None:
    """Of one side it is the page's; of two it is that of the statement that names both."""
    sides = {name: octets(value) for name, value in PAGE["two_sides"].items()}
    stated = statement("sheet", sides["face"], sides["back"])

    assert PAGE["page_digests"] == [one.hex() for one in sheet_digests(octets(PAGE["pdf"]), 1)]
    assert sides["sheet_digest"] == hashlib.sha256(stated).digest()
    assert sides["sheet_digest"] == sheet_digest(sides["face"], sides["back"])
