"""Reading SPEC.md: what is said is found, and what is not said is named."""

import pytest

from protocol.errors import SetUpError
from tools.asyncapi.schemas import unit_of
from tools.asyncapi.specification import FieldText, Specification

SMALL = Specification(
    """
# A protocol

### `ask`

問合. Asks for a thing,
by name. Replies: `told`, `refused`.

| field | type | care | meaning |
|---|---|---|---|
| `name` | name | personal | of the thing |
| `size_bytes` | count | | of it |

**thing**

What is asked for.

### Types

| type | on the wire | range |
|---|---|---|
| mood | str | `glad`, `sad` (悲) |

## 8 Reply codes

Codes come in bands: 10 line and telegram, 20 card
and PIN.

| code | name | meaning |
|---|---|---|
| 1001 | `MALFORMED` | does not fit |
"""
)


def test_a_telegram_is_read() -> None:
    """Name, prose without replies, and fields come out of a section."""
    assert "問合" == SMALL.name_of_telegram("ask")
    assert "Asks for a thing, by name." == SMALL.prose_of_telegram("ask")
    assert {
        "name": FieldText(care="personal", meaning="of the thing"),
        "size_bytes": FieldText(care="", meaning="of it"),
    } == SMALL.fields_of_telegram("ask")
    assert "What is asked for." == SMALL.prose_of_structure("thing")


def test_words_codes_and_bands_are_read() -> None:
    """Meanings in brackets, of codes, and of bands over the end of a line are found."""
    assert {"glad": "", "sad": "悲"} == SMALL.meanings_of_choice("mood")
    assert "does not fit" == SMALL.meaning_of_code(1001)
    assert "card and PIN" == SMALL.meaning_of_band(20)


def test_what_is_not_said_is_named() -> None:
    """A missing heading or row is an error that says which, and what to do."""
    with pytest.raises(SetUpError, match="no heading '### `tell`'"):
        SMALL.fields_of_telegram("tell")
    with pytest.raises(SetUpError, match="says nothing of '1002': give it a row"):
        SMALL.meaning_of_code(1002)
    with pytest.raises(SetUpError, match="says nothing of '30'"):
        SMALL.meaning_of_band(30)
    with pytest.raises(SetUpError, match="says nothing of 'height'"):
        SMALL.meanings_of_choice("height")


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        ("valid_ms", "milliseconds"),
        ("fee_yen", "yen"),
        ("sealed_bytes", "bytes"),
        ("FLIGHT_BYTES_MAX", "bytes"),
        ("sheets", None),
        ("TELEGRAMS_PER_GENERATION_HARD_MAX", None),
    ],
)
def test_units_are_read_from_names(name: str, unit: str | None) -> None:
    """The unit stands last in a name; what is counted has none."""
    assert unit == unit_of(name)
