"""The binding: the signed statement changes with every field."""

import msgspec
import pytest

from protocol.binding import Binding
from protocol.kinds import Item, Kind, Options, Scope
from tests.protocol.samples import BINDING, DIGEST, ISSUANCE_ID, OPTIONS

replaced = msgspec.structs.replace


@pytest.mark.parametrize(
    "changed",
    [
        replaced(BINDING, issuance_id=bytes(16)),
        replaced(BINDING, request_digest=bytes(32)),
        replaced(BINDING, holder="ref-0002"),
        replaced(BINDING, kind=Kind.INKAN),
        replaced(BINDING, options=replaced(OPTIONS, scope=Scope.SELF)),
        replaced(BINDING, options=replaced(OPTIONS, members=(1, 2))),
        replaced(BINDING, options=replaced(OPTIONS, items=(Item.RELATIONSHIP,))),
        replaced(BINDING, options=replaced(OPTIONS, items=(Item.DOMICILE, Item.RELATIONSHIP))),
        replaced(BINDING, numbers=BINDING.numbers[:1]),
        replaced(BINDING, numbers=BINDING.numbers[::-1]),
        replaced(BINDING, file_digest=bytes(32)),
        replaced(BINDING, pages=BINDING.pages[:1]),
        replaced(BINDING, pages=BINDING.pages[::-1]),
        replaced(BINDING, pages=(DIGEST, bytes(32))),
    ],
)
def test_every_field_is_signed(changed: Binding) -> None:
    """A changed id, request, holder, kind, option, number or page is another statement (TP-070)."""
    assert changed.statement() != BINDING.statement()


def test_no_field_is_forgotten() -> None:
    """A field added to the binding must be added to its statement (TP-070)."""
    assert (
        "issuance_id",
        "request_digest",
        "holder",
        "kind",
        "options",
        "numbers",
        "file_digest",
        "pages",
    ) == Binding.__struct_fields__
    assert ("scope", "members", "items") == Options.__struct_fields__


def test_the_statement_is_the_documented_one() -> None:
    """Label and order of the fields (TP-070)."""
    fields = [
        ISSUANCE_ID,
        DIGEST,
        "ref-0001",
        "juminhyo",
        "some",
        [1, 3],
        ["relationship", "domicile"],
        ["20260302-000011", "20260302-000012"],
        DIGEST[::-1],
        [DIGEST, DIGEST[::-1]],
    ]

    assert b"kofu/1/binding\0" + msgspec.msgpack.encode(fields) == BINDING.statement()


@pytest.mark.parametrize(
    "change",
    [
        {"pages": []},
        {"pages": [bytes(31)]},
        {"pages": [bytes(32)] * 41},
        {"numbers": []},
        {"numbers": ["n"] * 6},
        {"numbers": [""]},
        {"holder": ""},
        {"file_digest": bytes(31)},
    ],
)
def test_a_binding_out_of_its_ranges_does_not_decode(change: dict[str, object]) -> None:
    """Every page has a whole digest and every copy a number."""
    content = msgspec.msgpack.decode(msgspec.msgpack.encode(BINDING))
    packed = msgspec.msgpack.encode(content | change)

    with pytest.raises(msgspec.ValidationError):
        msgspec.msgpack.decode(packed, type=Binding)
