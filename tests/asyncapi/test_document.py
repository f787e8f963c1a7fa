"""The AsyncAPI document is up to date, complete, and what the AsyncAPI parser takes for one."""

import copy
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import pytest

from protocol import limits, topics
from protocol.codes import ReplyCode
from protocol.handshake_port import Role
from protocol.requests import REQUESTS, requests_answered_by
from protocol.secret import Secret
from protocol.telegrams import AnyTelegram, Telegram
from tests.asyncapi.parser import TOP, faults, judged
from tests.protocol.stand_in import CITY, LINE_ID
from tests.vectors.reading import vector
from tools.asyncapi import __main__ as program
from tools.asyncapi.messages import name_of

DOCUMENT = json.loads((TOP / program.DOCUMENT).read_text(encoding="utf-8"))
MESSAGES = DOCUMENT["components"]["messages"]
KINDS: tuple[type[Telegram], ...] = get_args(AnyTelegram)


def test_the_files_are_those_made_from_code_and_specification(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """``make docs`` would change neither the document nor the page."""
    monkeypatch.chdir(TOP)

    assert 0 == program.main(["--check"])


@pytest.mark.parametrize("found", [None, "another document"])
def test_checking_tells_a_missing_or_changed_file(
    found: str | None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """``--check`` exits 1, names file and way out, and writes nothing; making mends it."""
    monkeypatch.chdir(TOP)
    document, page = tmp_path / "asyncapi.json", tmp_path / "telegrams.md"
    monkeypatch.setattr(program, "DOCUMENT", document)
    monkeypatch.setattr(program, "PAGE", page)
    if found is not None:
        document.write_text(found, encoding="utf-8")

    assert 1 == program.main(["--check"])
    told = capsys.readouterr().err
    assert f"{document} is out of date: run python -m tools.asyncapi" in told
    assert str(page) in told
    assert (found is not None) == document.exists()
    assert 0 == program.main([])
    assert 0 == program.main(["--check"])


def test_started_elsewhere_it_names_the_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Away from the checkout there is a sentence and no traceback."""
    monkeypatch.chdir(tmp_path)

    assert 1 == program.main([])
    assert "run this from the top of the checkout" in capsys.readouterr().err


@pytest.mark.slow
def test_the_parser_finds_no_fault(tmp_path: Path) -> None:
    """There is no error and no warning, and every example fits its own message."""
    answer = judged(tmp_path, DOCUMENT)

    assert [] == faults(answer)
    assert [] == [example for example in answer["examples"] if example["errors"]]
    assert set(MESSAGES) == {example["message"] for example in answer["examples"]}


def without_licence_name(document: Any) -> None:
    """Take away what the format requires of a licence."""
    del document["info"]["license"]["name"]


def without_parameter(document: Any) -> None:
    """Leave a part of the topic unexplained."""
    del document["channels"]["up"]["parameters"]["line"]


def with_foreign_message(document: Any) -> None:
    """Let an operation send what its channel does not carry."""
    document["operations"]["sendOpen"]["messages"] = [{"$ref": "#/components/messages/open"}]


def with_dangling_reference(document: Any) -> None:
    """Refer to a schema that is not there."""
    document["components"]["messages"]["apply"]["payload"]["properties"]["kind"] = {
        "$ref": "#/components/schemas/nothing"
    }


def with_wrong_type(document: Any) -> None:
    """Give a field a type that JSON Schema does not know."""
    document["components"]["schemas"]["member"]["properties"]["number"]["type"] = "number of it"


@pytest.mark.slow
@pytest.mark.parametrize(
    "spoil",
    [
        without_licence_name,
        without_parameter,
        with_foreign_message,
        with_dangling_reference,
        with_wrong_type,
    ],
)
def test_the_parser_refuses_a_spoilt_document(spoil: Callable[[Any], None], tmp_path: Path) -> None:
    """What is wrong is found, so the silence about the real one means something."""
    spoilt = copy.deepcopy(DOCUMENT)
    spoil(spoilt)

    assert [] != faults(judged(tmp_path, spoilt))


@pytest.mark.slow
def test_an_example_out_of_range_is_found(tmp_path: Path) -> None:
    """An example that its own schema refuses does not pass, in payload or header."""
    spoilt = copy.deepcopy(DOCUMENT)
    messages = spoilt["components"]["messages"]
    messages["begin"]["examples"][0]["payload"]["attempt"] = limits.ATTEMPTS_PER_VISIT_MAX + 1
    messages["rejection"]["examples"][0]["headers"]["kind"] = 2

    answer = judged(tmp_path, spoilt)

    found = {example["message"] for example in answer["examples"] if example["errors"]}
    assert {"begin", "rejection"} == found


@pytest.mark.parametrize("kind", KINDS, ids=name_of)
def test_every_field_of_every_telegram_is_described(kind: type[Telegram]) -> None:
    """Each message has the fields of its class in order, each with a meaning."""
    payload = MESSAGES[name_of(kind)]["payload"]
    own = [name for name in kind.__struct_fields__ if name != "in_reply_to"]
    reply = ["in_reply_to"] if requests_answered_by(kind) else []

    assert ["telegram", *reply, *own] == list(payload["properties"])
    assert [] == [name for name, field in payload["properties"].items() if not field["description"]]
    assert name_of(kind) == payload["properties"]["telegram"]["const"]


def test_messages_are_the_telegrams_in_order() -> None:
    """Behind the two that are no telegrams stands one message for each kind, and no other."""
    assert ["key-exchange", "rejection", *map(name_of, KINDS)] == list(MESSAGES)


def test_examples_are_the_published_vectors() -> None:
    """Who holds an example against the vectors finds the same values."""
    for case in vector("telegrams")["telegrams"]:
        name = case["fields"]["telegram"]
        (example,) = MESSAGES[name]["examples"]

        assert json.loads(json.dumps(case["fields"]).replace('"hex:', '"')) == example["payload"]


def test_secrets_are_marked_as_the_types_have_them() -> None:
    """A field is marked secret if its type is, and only then."""
    marked = {
        (name, field)
        for name, message in MESSAGES.items()
        for field, schema in message["payload"].get("properties", {}).items()
        if "x-secret" in schema
    }
    secret = {
        (name_of(kind), field)
        for kind in KINDS
        for field, hint in kind.__annotations__.items()
        if hint is Secret
    }

    assert secret == marked
    assert {("released", "content_key")} == marked


def test_operations_are_the_requests_with_their_replies() -> None:
    """A terminal sends what it may ask and receives what the city may, each with its replies."""
    operations = {name: copy.deepcopy(said) for name, said in DOCUMENT["operations"].items()}
    bare = {"sendKeyExchange", "receiveRejection"}
    for kind, request in REQUESTS.items():
        for asker in request.askers:
            verb = "send" if asker is Role.TERMINAL else "receive"
            there, back = ("up", "down") if asker is Role.TERMINAL else ("down", "up")
            said = operations.pop(verb + name_of(kind).title().replace("-", ""))
            replies = [
                {"$ref": f"#/channels/{back}/messages/{name_of(reply)}"}
                for reply in request.replies
            ]

            assert verb == said["action"]
            assert [{"$ref": f"#/channels/{there}/messages/{name_of(kind)}"}] == said["messages"]
            assert replies == said.get("reply", {}).get("messages", [])
    assert bare == operations.keys()


@pytest.mark.parametrize("direction", ["up", "down"])
def test_the_addresses_are_the_topics(direction: str) -> None:
    """With the examples of its parameters in it, an address is the topic of that line."""
    channel = DOCUMENT["channels"][direction]
    parameters = channel["parameters"]
    examples = {name: said["examples"][0] for name, said in parameters.items()}

    assert topics.line_topic(CITY, LINE_ID, direction) == channel["address"].format(**examples)
    for name, said in parameters.items():
        assert re.search(said["x-pattern"], examples[name])


def test_messages_travel_with_qos_1_and_are_not_retained() -> None:
    """Every operation says what TP-003 says."""
    (trait,) = DOCUMENT["components"]["operationTraits"].items()
    reference = {"$ref": f"#/components/operationTraits/{trait[0]}"}

    assert {"qos": 1, "retain": False} == {
        key: value for key, value in trait[1]["bindings"]["mqtt"].items() if key != "bindingVersion"
    }
    for operation in DOCUMENT["operations"].values():
        assert [reference] == operation["traits"]


def test_reply_codes_and_limits_are_all_there() -> None:
    """Each code has both sentences and a meaning, each limit its value and unit."""
    codes = {said["code"]: said for said in DOCUMENT["x-reply-codes"]}
    own = {name: value for name, value in vars(limits).items() if name.isupper()}
    listed = DOCUMENT["x-limits"]

    assert [code.value for code in ReplyCode] == list(codes)
    for code in ReplyCode:
        said = codes[code.value]
        assert (code.sentence("ja"), code.sentence("en")) == (said["ja"], said["en"])
        assert said["meaning"]
    assert list(own) == list(listed)
    for name, value in own.items():
        assert (list(value) if isinstance(value, tuple) else value) == listed[name]["value"]
    assert "milliseconds" == listed["VISIT_MS_MAX"]["unit"]
    assert "bytes" == listed["TELEGRAM_BUCKETS_BYTES"]["unit"]
    assert "count" == listed["TELEGRAMS_PER_GENERATION_HARD_MAX"]["unit"]


def test_the_header_is_the_one_of_the_envelope() -> None:
    """Offsets and lengths of the header's fields add up to 24 bytes without a gap."""
    end = 0
    for part in DOCUMENT["components"]["schemas"]["header"]["properties"].values():
        assert end == part["x-offset"]
        end += part["x-length-bytes"]
    assert 24 == end
