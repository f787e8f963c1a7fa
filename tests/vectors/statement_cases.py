"""The statements of the vectors, and how values are written in their ``fields``."""

import hashlib
from collections.abc import Iterable
from typing import Any

import msgspec

from protocol.checkpoint import checkpoint_statement
from protocol.secret import Secret
from tests.protocol.stand_in import CITY, TERMINAL
from tests.vectors import card_certificate, story
from tests.vectors.reading import BYTES_MARK

MADE_BY = "made by tools/make_vectors.py after protocol/SPEC.md"


def marked(value: Any) -> Any:
    """Return a value with its byte strings in marked hexadecimal."""
    match value:
        case bytes():
            return BYTES_MARK + value.hex()
        case Secret():
            return BYTES_MARK + value.reveal().hex()
        case dict():
            return {key: marked(item) for key, item in value.items()}
        case list() | tuple():
            return [marked(item) for item in value]
        case msgspec.Struct():
            return marked(
                msgspec.to_builtins(value, builtin_types=(bytes,), enc_hook=Secret.reveal)
            )
    return value


def signed_statements() -> dict[str, Any]:
    """Return the statements, signed under test seeds where the protocol signs (§1)."""
    proof: list[tuple[str, Any]] = [
        ("challenge", story.CHALLENGE),
        ("visit_id", story.VISIT_ID),
        ("attempt", 1),
        ("terminal", TERMINAL),
        ("city", CITY),
        ("card", story.CARD),
    ]
    digest = hashlib.sha256(card_certificate.certificate()).digest()
    certificate_proof = [*proof[:-1], ("certificate_digest", digest)]
    bound, act = story.binding(), story.OPERATOR_ACT
    report, deletion = story.PRINT_REPORT, story.DELETION_REPORT
    checkpoint: dict[str, Any] = {
        "city": CITY,
        "size": len(story.AUDIT_RECORDS),
        "root": story.audit_root(),
        "at_ms": story.PRINTED_AT_MS,
    }
    options = [(f"options.{name}", value) for name, value in _parts(bound.options)]
    binding = [part for part in _parts(bound) if part[0] != "options"]
    terminal = [("terminal", TERMINAL)]
    return {
        "description": "Statements in canonical form, with the signature of a test key. The info "
        "of a PIN block is bound into its seal and is not signed; telegrams.json has the "
        "signature over the certificate proof.",
        "source": f"{MADE_BY} §1 (TP-060), §13, §14, §16 and §17; operator acts after "
        "keys/operators.py",
        "statements": [
            _statement_case("card-proof", proof, story.CARD_PROOF, "card"),
            _statement_case("pin-block", proof, story.PIN_BLOCK_INFO, None),
            _statement_case("certificate-proof", certificate_proof, story.CERTIFICATE_PROOF, None),
            _statement_case(
                "binding", [*binding[:4], *options, *binding[4:]], bound.statement(), "city"
            ),
            _statement_case(
                "print-report",
                [*terminal, *_parts(report)],
                report.statement(TERMINAL),
                "terminal",
            ),
            _statement_case(
                "deletion-report",
                [*terminal, *_parts(deletion)],
                deletion.statement(TERMINAL),
                "terminal",
            ),
            _statement_case("operator-act", _parts(act), act.statement(), "operator"),
            _statement_case(
                "audit-checkpoint",
                checkpoint.items(),
                checkpoint_statement(**checkpoint),
                "city",
            ),
        ],
    }


def _parts(struct: msgspec.Struct) -> list[tuple[str, Any]]:
    """Return the fields of a struct in order, with choices by name and flags as 0 or 1."""
    names = struct.__struct_fields__
    values = [msgspec.to_builtins(getattr(struct, name), builtin_types=(bytes,)) for name in names]
    return [
        (name, int(value) if isinstance(value, bool) else value)
        for name, value in zip(names, values, strict=True)
    ]


def _statement_case(
    label: str, parts: Iterable[tuple[str, Any]], signed: bytes, holder: str | None
) -> dict[str, Any]:
    case: dict[str, Any] = {
        "label": label,
        "fields": [{"name": name, "value": marked(value)} for name, value in parts],
        "statement": signed.hex(),
    }
    if holder is not None:
        key = story.signer(holder)
        case |= {
            "signer": holder,
            "seed_test_only": key.seed().reveal().hex(),
            "public_key": key.public_key.hex(),
            "signature": key.sign(signed).hex(),
        }
    return case
