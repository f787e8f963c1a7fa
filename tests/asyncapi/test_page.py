"""The page of telegrams says all that the document says, and leads where it points."""

import copy
import json
import re
from typing import Any

import pytest
from markdown_it import MarkdownIt

from tests.asyncapi.parser import TOP
from tools.asyncapi import __main__ as program
from tools.asyncapi.page import page
from tools.asyncapi.readable import readable_json

PAGE_PATH = TOP / program.PAGE
PAGE = PAGE_PATH.read_text(encoding="utf-8")
DOCUMENT = json.loads((TOP / program.DOCUMENT).read_text(encoding="utf-8"))
MESSAGES = DOCUMENT["components"]["messages"]
TELEGRAMS = [name for name in MESSAGES if name not in {"key-exchange", "rejection"}]


def anchors(text: str) -> list[str]:
    """Return the anchors that a code-hosting site gives to the headings of a page."""
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return [
        re.sub(r"[^\w -]", "", heading.lower()).strip().replace(" ", "-") for heading in headings
    ]


def section(heading: str) -> str:
    """Return the text under a heading of the third level."""
    return re.split(r"\n##", PAGE.split(f"\n### {heading}\n")[1])[0]


def test_the_page_follows_the_document_alone() -> None:
    """Another word in the document is another word on the page."""
    changed = copy.deepcopy(DOCUMENT)
    payload = changed["components"]["messages"]["begin"]["payload"]
    payload["properties"]["attempt"]["description"] = "something else | altogether"

    assert PAGE == page(DOCUMENT)
    assert "| something else \\| altogether |" in page(changed)


@pytest.mark.parametrize("name", TELEGRAMS)
def test_every_field_of_every_telegram_is_on_the_page(name: str) -> None:
    """A telegram's section has a row for each field with its meaning, and what answers it."""
    text = section(f"`{name}`")
    for field, schema in MESSAGES[name]["payload"]["properties"].items():
        if field != "telegram":
            (row,) = (line for line in text.splitlines() if line.startswith(f"| `{field}` |"))
            assert row.endswith(f"| {schema['description']} |")

    assert f'"telegram": "{name}"' in text
    assert MESSAGES[name]["summary"] in text
    assert re.search(r"answered by|answers|not answered", text)


def test_every_structure_and_every_word_is_on_the_page() -> None:
    """What stands in fields has a section of its own."""
    for name, schema in DOCUMENT["components"]["schemas"].items():
        if "enum" in schema and name != "code":
            for word, meaning in schema["x-meanings"].items():
                assert f"| `{word}` | {meaning} |" in section(f"Choice: `{name}`")
        for field in schema.get("properties", {}):
            if name != "header":
                assert f"| `{field}` |" in section(f"Structure: `{name}`")


def test_reply_codes_stand_with_both_sentences() -> None:
    """A row has code, name, meaning and the sentences in Japanese and English."""
    for said in DOCUMENT["x-reply-codes"]:
        cells = (said["code"], f"`{said['name']}`", said["meaning"], said["ja"], said["en"])

        assert f"| {' | '.join(map(str, cells))} |" in PAGE


def test_the_diagram_has_every_request_and_reply() -> None:
    """Each operation is an arrow in its direction, each wished-for reply one back."""
    diagram = PAGE.split("```mermaid\n")[1].split("```")[0]

    for name in ("open", "release", "report", "end-visit", "line-test"):
        assert f"T->>C: {name}\n" in diagram
    for name in ("notice", "line-test", "rejection"):
        assert f"C->>T: {name}\n" in diagram
    assert "C-->>T: released\n" in diagram
    assert "T-->>C: line-tested\n" in diagram
    assert "refused" not in diagram


def test_secrets_and_units_are_told() -> None:
    """The released key is marked secret, a member's name personal, times and sums by unit."""
    assert "| `content_key` | bin | 32 bytes | **secret** |" in section("`released`")
    assert "| `name` | str | 1 to 100 characters | personal |" in section("Structure: `member`")
    assert "| `valid_ms` | int | 0 to 2^53 | milliseconds |" in section("`challenge`")
    assert "| `amount_yen` | int | 0 to 1,000,000 | yen |" in section("`release`")
    assert "0 to 32 items, each 1 to 32; default empty" in section("Structure: `options`")
    assert "| `tries_left` | int or nil | 0 to 3; default nil |" in section("`refused`")


def test_links_lead_somewhere() -> None:
    """Every anchor has its heading, here and in the specification; every file is there."""
    assert len(anchors(PAGE)) == len(set(anchors(PAGE)))
    for target in re.findall(r"\]\(([^)]+)\)", PAGE):
        path, _, anchor = target.partition("#")
        file = (PAGE_PATH.parent / path) if path else PAGE_PATH

        assert file.exists(), target
        if anchor:
            assert anchor in anchors(file.read_text(encoding="utf-8")), target


def test_every_table_is_one_for_a_reader_of_markdown() -> None:
    """No row falls out of its table: all lines with bars are read as rows."""
    tokens = MarkdownIt("commonmark").enable("table").parse(PAGE)
    rows = sum(token.type == "tr_open" for token in tokens)
    tables = sum(token.type == "table_open" for token in tokens)
    barred = sum(line.startswith("|") for line in PAGE.splitlines())

    assert barred - tables == rows  # the line of dashes is no row


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"a": 1, "b": "ab" * 16}, '{"a": 1, "b": "' + "ab" * 16 + '"}'),
        ({"a": "ab" * 17}, '{"a": "abababababababab… (17 bytes)"}'),
        ([], "[]"),
        ({"a": "見" * 45, "b": ["x" * 40, "z" * 60]}, None),
    ],
)
def test_examples_are_laid_out_for_people(value: Any, text: str | None) -> None:
    """What is short stays on a line, long bytes are cut, and the rest is one thing a line."""
    shown = readable_json(value)

    if text is None:
        assert value == json.loads(shown)
        assert 7 == len(shown.splitlines())
    else:
        assert text == shown
