"""The specification says what the code does: limits, telegrams, codes, and cited requirements."""

import re
import typing
from collections.abc import Iterator
from enum import Enum
from pathlib import Path

import msgspec
import pytest
from msgspec import inspect

from protocol import domicile_telegrams, fields, limits, page_digest
from protocol.binding import Binding
from protocol.checkpoint import Checkpoint
from protocol.codes import ReplyCode
from protocol.kinds import Item, Kind, Options, Scope
from protocol.secret import Secret
from protocol.shown import Shown, mark_in
from protocol.telegrams import (
    AnyTelegram,
    Counters,
    Member,
    MenuItem,
    NoticeKind,
    RequestRef,
    Unavailable,
    UnfinishedIssuance,
)
from protocol.terminal_statements import (
    DeletionReport,
    FailureCause,
    PrintOutcome,
    PrintReport,
)

TOP = Path(__file__).parents[2]
SPEC = (TOP / "protocol" / "SPEC.md").read_text(encoding="utf-8")
REQUIREMENT = re.compile(r"TP-\d{3}")
DEFINED = re.findall(r"^\*\*(TP-\d{3})", SPEC, re.MULTILINE)
PACKAGES = ("protocol", "keys", "issuance_server", "terminal_sim", "tests")
TELEGRAMS = {kind.__struct_config__.tag: kind for kind in typing.get_args(AnyTelegram)}
STRUCTURES: dict[str, type[msgspec.Struct]] = {
    "unfinished": UnfinishedIssuance,
    "menu-item": MenuItem,
    "unavailable": Unavailable,
    "member": Member,
    "options": Options,
    "binding": Binding,
    "print-report": PrintReport,
    "deletion-report": DeletionReport,
    "counters": Counters,
    "checkpoint": Checkpoint,
    "in_reply_to": RequestRef,
}
TYPES: dict[str, object] = {
    "id": fields.Id,
    "digest": fields.Digest,
    "challenge": fields.Challenge32,
    "signature": fields.Signature,
    "key": Secret,
    "PIN block": fields.PinBlock,
    "certificate": fields.CardCertificate,
    "piece": fields.Piece48K,
    "attempt": fields.Attempt,
    "copies": fields.Copies,
    "sheets": fields.Sheets,
    "piece number": fields.PieceNumber,
    "yen": fields.Yen,
    "ms": fields.TimeMs,
    "count": fields.Count,
    "code": ReplyCode,
    "flag": bool,
    "name": fields.Name,
    "text": fields.ShortText,
    "kind": Kind,
    "outcome": PrintOutcome,
    "cause": FailureCause,
    "notice": NoticeKind,
    "card number": fields.CardNumber,
    "typed": fields.PersonName,
    "typed date": fields.PersonDate,
    "words": fields.PersonText,
    "phone": domicile_telegrams.Phone,
    "domicile-state": domicile_telegrams.DomicileState,
    "options": Options,
    "binding": Binding,
    "print-report": PrintReport,
    "deletion-report": DeletionReport,
    "counters": Counters,
    "checkpoint": Checkpoint,
}


def section(heading: str) -> str:
    """Return the text from a heading to the next heading of any level."""
    _, mark, rest = SPEC.partition(f"\n{heading}\n")
    assert mark, f"SPEC.md has no line {heading!r}"
    return re.split(r"\n(?:#|\*\*[a-z_-]+\*\*\n)", rest, maxsplit=1)[0]


def rows(text: str) -> Iterator[list[str]]:
    """Yield the cells of every row of a table, without its head."""
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("| `") or re.match(r"\| \d", line):
            yield cells


def numbers(cell: str) -> int | tuple[int, ...]:
    """Read one number, or several separated by commas."""
    found = tuple(int(number) for number in cell.split(", "))
    return found[0] if len(found) == 1 else found


def test_limits_are_those_of_the_code() -> None:
    """Section 10 lists every limit with its value, in the order of the module."""
    listed = {cells[0].strip("`"): numbers(cells[1]) for cells in rows(section("## 10 Limits"))}
    own = {name: value for name, value in vars(limits).items() if name.isupper()}

    assert own == listed
    assert list(own) == list(listed)


def test_bounds_of_the_page_digest_are_those_of_the_code() -> None:
    """Section 14 lists the bounds of a file."""
    bounds = {
        cells[0].strip("`"): int(cells[1].split()[0])
        for cells in rows(section("## 14 Binding and page digest"))
        if cells[0].strip("`").isupper() and len(cells) == 2
    }

    assert {name: getattr(page_digest, name) for name in bounds} == bounds
    assert {"PDF_BYTES_MAX", "DECODED_BYTES_MAX", "VALUES_MAX", "DEPTH_MAX"} <= bounds.keys()


def test_reply_codes_are_those_of_the_code() -> None:
    """Section 8 lists every code with its number and name, in order."""
    listed = [(int(cells[0]), cells[1].strip("`")) for cells in rows(section("## 8 Reply codes"))]

    assert [(code.value, code.name) for code in ReplyCode] == listed


def test_every_telegram_has_a_section() -> None:
    """Section 7 has a heading for each kind, in the order of the code, and for no other."""
    assert list(TELEGRAMS) == re.findall(r"^### `([a-z-]+)`$", SPEC, re.MULTILINE)


@pytest.mark.parametrize(
    ("heading", "kind"),
    [(f"### `{name}`", kind) for name, kind in TELEGRAMS.items()]
    + [(f"**{name}**", kind) for name, kind in STRUCTURES.items()],
)
def test_every_field_stands_with_its_type(heading: str, kind: type[msgspec.Struct]) -> None:
    """Each telegram and structure lists the fields of the code, in order, with their types."""
    listed = {cells[0].strip("`"): cells[1] for cells in rows(section(heading))}
    hints = typing.get_type_hints(kind, include_extras=True)
    expected = [name for name in kind.__struct_fields__ if name != "in_reply_to"]

    assert expected == list(listed)
    for name, written in listed.items():
        if written in TYPES:
            assert TYPES[written] == hints[name], name
        else:
            words = r"(array of |int, |str, |scope, |tries, |ms, |count, |checkpoint, )"
            assert re.match(words, written), written


@pytest.mark.parametrize("name", TELEGRAMS)
def test_care_is_what_a_trace_takes(name: str) -> None:
    """What the column *care* calls secret or personal is what a trace may not show."""
    written = {cells[0].strip("`"): cells[2] for cells in rows(section(f"### `{name}`"))}
    fields_of = inspect.type_info(TELEGRAMS[name]).fields
    marks = {field.encode_name: _care(field.type) for field in fields_of}
    marks.pop("in_reply_to")

    assert marks == written


def _care(info: inspect.Type) -> str:
    """Return the word of the column *care* for how a trace shows a field."""
    match info:
        case inspect.Metadata(extra=extra) if mark_in(extra) in {Shown.CARD, Shown.PERSON}:
            return "personal"
        case inspect.Metadata(type=inner) | inspect.VarTupleType(item_type=inner):
            return _care(inner)
        case inspect.CustomType():
            return "secret"
        case inspect.StructType(fields=inside):
            return "personal" if "personal" in {_care(field.type) for field in inside} else ""
        case _:
            return ""


def test_requests_name_replies_that_exist() -> None:
    """What a section promises as a reply is a telegram, and every reply is promised somewhere."""
    promised = set()
    for name in TELEGRAMS:
        said = re.search(r"Replies:\s([^.]*)\.", section(f"### `{name}`"))
        if said is not None:
            promised |= set(re.findall(r"`([a-z-]+)`", said[1]))
    asked = {"line-tested", "acknowledged", "refused", "menu", "quotation", "piece"}

    assert promised <= TELEGRAMS.keys()
    assert asked | {"opened", "challenge", "released", "closed", "domicile-told"} == promised


@pytest.mark.parametrize(
    ("name", "choices"),
    [
        ("kind", Kind),
        ("item", Item),
        ("scope", Scope),
        ("outcome", PrintOutcome),
        ("cause", FailureCause),
        ("notice", NoticeKind),
    ],
)
def test_choices_are_those_of_the_code(name: str, choices: type[Enum]) -> None:
    """The table of types lists the words that a field may hold."""
    (row,) = (line for line in section("### Types").splitlines() if line.startswith(f"| {name} |"))

    assert [choice.value for choice in choices] == re.findall(r"`([a-z-]+)`", row)


def test_every_requirement_is_defined_once() -> None:
    """No number is given twice, and none is mentioned that is not defined."""
    assert len(DEFINED) == len(set(DEFINED))
    assert set(DEFINED) == set(REQUIREMENT.findall(SPEC))


def test_every_requirement_is_cited_and_every_citation_is_defined() -> None:
    """Code or tests cite each number; a number that they cite stands in the specification."""
    cited: dict[str, Path] = {}
    for package in PACKAGES:
        for path in (TOP / package).rglob("*.py"):
            for number in REQUIREMENT.findall(path.read_text(encoding="utf-8")):
                cited.setdefault(number, path)

    assert [] == sorted(set(DEFINED) - cited.keys())
    assert {} == {number: path for number, path in cited.items() if number not in DEFINED}


def test_links_lead_somewhere() -> None:
    """Every link to a section has its heading, every link to a file its file."""
    headings = re.findall(r"^## (.*)$", SPEC, re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
    targets = re.findall(r"\]\(([^)]+)\)", SPEC)

    assert [] == [t for t in targets if t.startswith("#") and t[1:] not in anchors]
    files = [TOP / "protocol" / target for target in targets if not target.startswith("#")]
    assert [] == [path for path in files if not path.exists()]
