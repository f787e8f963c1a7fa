"""Make ``tests/vectors/*.json`` from fixed keys and ids; no entropy and no clock.

Run from the top of the checkout::

    python -m tools.make_vectors                     write the files
    python -m tools.make_vectors --check             exit 1 when a file differs
    python -m tools.make_vectors --new-pin-block     seal the PIN once more, then write the files

A PIN block is another one at every sealing, so the one that is checked in is kept. It is sealed
anew only on demand, which is needed when its ``info`` has changed.
"""

import argparse
import hashlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import msgspec

from keys.pin_sealing import SEED_BYTES, PinOpener, PinSealer
from protocol import codec
from protocol.envelope import Direction, Envelope, EnvelopeKind, flight, generation_of
from protocol.errors import SealError, SetUpError
from protocol.key_schedule import direction_keys, export_context
from protocol.limits import TELEGRAMS_PER_GENERATION_HARD_MAX
from protocol.page_digest import page_digests
from protocol.sealing import Sealer
from protocol.secret import Secret
from protocol.sheet_digest import sheet_digest
from protocol.telegrams import AnyTelegram, PieceGiven, RequestRef
from tests.protocol.stand_in import CITY, LINE_ID, TERMINAL
from tests.vectors import story
from tests.vectors.statement_cases import MADE_BY, marked, signed_statements
from tests.vectors.visit_case import visit

FOLDER = Path("tests/vectors")
PIECE_BYTES_SHOWN = 32
"""So long is the piece among the single telegrams, to keep the file readable."""

GENERATION = generation_of(story.HANDSHAKE_ID)
EXPORTED = Secret(story.made("exported secret", 64))
NAMES = {Direction.UP: "up", Direction.DOWN: "down"}


def files(pin_block: bytes) -> dict[str, str]:
    """Return the text of every file by its name."""
    made = {
        "key_schedule": key_schedule(),
        "envelopes": envelopes(),
        "telegrams": single_telegrams(pin_block),
        "statements": signed_statements(),
        "pin_block": pin_block_vector(pin_block),
        "sealed_certificate": sealed_certificate_vector(),
        "page_digest": page_digest_vector(),
        "visit": visit(pin_block),
    }
    return {
        f"{name}.json": json.dumps(content, indent=2, ensure_ascii=False, sort_keys=True) + "\n"
        for name, content in made.items()
    }


def key_schedule() -> dict[str, Any]:
    """Return exporter context and keys of both directions (§5)."""
    context = _context(GENERATION)
    return {
        "description": "From the exported secret of a handshake to the keys of both directions.",
        "source": f"{MADE_BY} §5 (TP-024, TP-025)",
        "city": CITY,
        "terminal": TERMINAL,
        "line_id": LINE_ID.hex(),
        "generation": GENERATION,
        "exporter_label": "EXPORTER-kofu-line-v1",
        "exporter_context": context.hex(),
        "exported_secret_test_only": EXPORTED.reveal().hex(),
        "directions": {
            name: {
                "key_test_only": keys.key.reveal().hex(),
                "nonce_base_test_only": keys.nonce_base.reveal().hex(),
            }
            for direction, name in NAMES.items()
            for keys in (direction_keys(EXPORTED, direction, context),)
        },
    }


def envelopes() -> dict[str, Any]:
    """Return sealed telegrams, a flight, a rejection, and envelopes that are none (§3, §6)."""
    rejection = Envelope(
        kind=EnvelopeKind.REJECTION,
        direction=Direction.DOWN,
        generation=GENERATION,
        line_id=LINE_ID,
        counter=41,
        body=b"",
    )
    first = flight(
        direction=Direction.UP,
        line_id=LINE_ID,
        handshake_id=story.HANDSHAKE_ID,
        number=0,
        tls=b"stands for a ClientHello",
    )
    last = flight(
        direction=Direction.DOWN,
        line_id=LINE_ID,
        handshake_id=story.HANDSHAKE_ID,
        number=3,
        tls=b"",
    )
    return {
        "description": "Envelopes, sealed under the keys of key_schedule.json; the plaintexts are "
        "no telegrams.",
        "source": f"{MADE_BY} §3, §4 and §6 (TP-010, TP-021, TP-030, TP-035)",
        "telegrams": [
            _sealed_case(direction, counter)
            for direction in Direction
            for counter in (0, 1, 256, TELEGRAMS_PER_GENERATION_HARD_MAX - 1)
        ],
        "flights": [
            {**_envelope_case(sent), "handshake_id": story.HANDSHAKE_ID.hex()}
            for sent in (first, last)
        ],
        "rejections": [_envelope_case(rejection)],
        "refused": list(_no_envelopes(rejection.pack())),
    }


def _context(generation: int) -> bytes:
    return export_context(city=CITY, terminal=TERMINAL, line_id=LINE_ID, generation=generation)


def _sealed_case(direction: Direction, counter: int) -> dict[str, Any]:
    keys = direction_keys(EXPORTED, direction, _context(GENERATION))
    sealer = Sealer(keys, direction=direction, generation=GENERATION, line_id=LINE_ID)
    sealer.next_counter = counter
    plaintext = f"{NAMES[direction]} {counter}".encode()
    return {**_envelope_case(sealer.seal(plaintext)), "plaintext": plaintext.hex()}


def _envelope_case(envelope: Envelope) -> dict[str, Any]:
    return {
        "direction": NAMES[envelope.direction],
        "counter": envelope.counter,
        "header": envelope.header.hex(),
        "body": envelope.body.hex(),
    }


def _no_envelopes(good: bytes) -> Iterator[dict[str, str]]:
    """Yield messages that a receiver drops (TP-010), made from one that it would take."""
    yield {"why": "one byte shorter than a header", "message": good[:-1].hex()}
    yield {"why": "nothing at all", "message": ""}
    for place, name, values in (
        (0, "version", (0, 2)),
        (1, "kind", (0, 4)),
        (2, "direction", (2,)),
        (3, "reserved byte", (1,)),
    ):
        for value in values:
            changed = good[:place] + bytes([value]) + good[place + 1 :]
            yield {"why": f"{name} {value}", "message": changed.hex()}


def single_telegrams(pin_block: bytes) -> dict[str, Any]:
    """Return one telegram of every kind (§7)."""
    ref = RequestRef(GENERATION, 7, hashlib.sha256(b"a request").digest())
    requests, replies = list(story.aside()), list(story.aside_replies())
    for request, reply in story.conversation(pin_block):
        requests.append(request)
        replies.append(reply)
    of_kind: dict[type[AnyTelegram], AnyTelegram] = {}
    for telegram in (*requests, *(msgspec.structs.replace(r, in_reply_to=ref) for r in replies)):
        of_kind.setdefault(type(telegram), telegram)
    piece = of_kind[PieceGiven]
    assert isinstance(piece, PieceGiven)
    of_kind[PieceGiven] = msgspec.structs.replace(piece, content=piece.content[:PIECE_BYTES_SHOWN])
    return {
        "description": "One telegram of every kind: fields, MessagePack, and the padded plaintext "
        "by length and SHA-256.",
        "source": f"{MADE_BY} §7 (TP-040, TP-048)",
        "telegrams": [_telegram_case(of_kind[kind]) for kind in get_args(AnyTelegram)],
    }


def _telegram_case(telegram: AnyTelegram) -> dict[str, Any]:
    plaintext = codec.encode(telegram)
    return {
        "fields": marked(telegram),
        "packed": _packed(plaintext).hex(),
        "plaintext_bytes": len(plaintext),
        "plaintext_digest": codec.digest(plaintext).hex(),
    }


def _packed(plaintext: bytes) -> bytes:
    return plaintext[4 : 4 + int.from_bytes(plaintext[:4], "big")]


def pin_block_vector(pin_block: bytes) -> dict[str, Any]:
    """Return the one PIN block that was sealed and kept (§13)."""
    opener = _pin_opener()
    return {
        "description": "A PIN block to open. It cannot be made again: sealing draws randomness, so "
        "the block is kept.",
        "source": f"{MADE_BY} §13 (TP-051, TP-052)",
        "seed_test_only": _pin_seed().hex(),
        "public_key": opener.public_key.hex(),
        "info": story.PIN_BLOCK_INFO.hex(),
        "pin_test_only": story.PIN.reveal().decode(),
        "pin_block": pin_block.hex(),
    }


def sealed_certificate_vector() -> dict[str, Any]:
    """Return the seal of a certificate, by its length and digest (§15)."""
    sealed = story.sealed()
    return {
        "description": "The PDF of page_digest.json as a sealed certificate, by length, SHA-256, "
        "first bytes and tag.",
        "source": f"{MADE_BY} §15 (TP-090, TP-091)",
        "pdf": story.tiny_pdf().hex(),
        "sheets": story.SHEETS,
        "content_key_test_only": story.CONTENT_KEY.reveal().hex(),
        "issuance_id": story.ISSUANCE_ID.hex(),
        "sealed_bytes": len(sealed),
        "sealed_digest": hashlib.sha256(sealed).hexdigest(),
        "sealed_first": sealed[:32].hex(),
        "sealed_tag": sealed[-16:].hex(),
    }


def page_digest_vector() -> dict[str, Any]:
    """Return a PDF of one page, its canonical form and its digest (§14)."""
    pdf = story.tiny_pdf()
    return {
        "description": "A PDF of one page, written by hand; its canonical form, also written by "
        "hand; its page digest; the digest of a sheet that has it as its face, and some back.",
        "source": f"{MADE_BY} §14 (TP-072, TP-073)",
        "pdf": pdf.hex(),
        "pdf_text": pdf.decode("ascii"),
        "form": story.tiny_pdf_form().hex(),
        "page_digests": [digest.hex() for digest in page_digests(pdf)],
        "two_sides": {
            "face": page_digests(pdf)[0].hex(),
            "back": story.BACK_DIGEST.hex(),
            "sheet_digest": sheet_digest(page_digests(pdf)[0], story.BACK_DIGEST).hex(),
        },
    }


def kept_pin_block() -> bytes:
    """Return the PIN block that is checked in.

    Raises:
        SetUpError: there is none, or it does not open to the PIN of the story any more.
    """
    try:
        kept = json.loads((FOLDER / "pin_block.json").read_text(encoding="utf-8"))
        pin_block = bytes.fromhex(kept["pin_block"])
        if _pin_opener().open(pin_block, story.PIN_BLOCK_INFO) == story.PIN:
            return pin_block
    except (OSError, ValueError, LookupError, SealError):
        pass
    raise SetUpError("the kept PIN block does not open: make another with --new-pin-block")


def new_pin_block() -> bytes:
    """Return the story's PIN sealed once more: the only thing here that draws randomness."""
    return PinSealer(_pin_opener().public_key).seal(story.PIN, story.PIN_BLOCK_INFO)


def _pin_seed() -> bytes:
    return story.made("seed of the PIN judge", SEED_BYTES)


def _pin_opener() -> PinOpener:
    return PinOpener(Secret(_pin_seed()))


def main(arguments: list[str]) -> int:
    """Write the files or check them; return the exit code."""
    parser = argparse.ArgumentParser(description="Make tests/vectors/*.json.")
    parser.add_argument("--check", action="store_true", help="write nothing, exit 1 if they differ")
    parser.add_argument("--new-pin-block", action="store_true", help="seal the PIN once more")
    chosen = parser.parse_args(arguments)
    try:
        wanted = files(new_pin_block() if chosen.new_pin_block else kept_pin_block())
    except SetUpError as error:
        print(error, file=sys.stderr)
        return 1
    if not chosen.check:
        for name, text in wanted.items():
            (FOLDER / name).write_text(text, encoding="utf-8")
        return 0
    differing = [name for name, text in wanted.items() if _present(name) != text]
    for name in differing:
        print(f"{FOLDER / name} differs: run python -m tools.make_vectors", file=sys.stderr)
    return 1 if differing else 0


def _present(name: str) -> str | None:
    path = FOLDER / name
    return path.read_text(encoding="utf-8") if path.exists() else None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
