"""Telegrams to bytes and back, and everything that is refused on the way."""

import hashlib
import random
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol import codec
from protocol.errors import MalformedTelegram, Misuse
from protocol.limits import CONTENT_KEY_BYTES, SMALL_BUCKET_BYTES, TELEGRAM_BUCKETS_BYTES
from protocol.telegrams import Acknowledged, AnyTelegram, Begin, Released
from tests.protocol.samples import CONTENT_KEY, DIGEST, SAMPLES, VISIT_ID

CANARY = "canary-7193-canary"
BEGIN = {"telegram": "begin", "visit_id": VISIT_ID, "attempt": 1}


def packed(content: object, *, bucket_bytes: int = SMALL_BUCKET_BYTES) -> bytes:
    """Return a padded plaintext of any content."""
    body = msgspec.msgpack.encode(content)
    return (len(body).to_bytes(4, "big") + body).ljust(bucket_bytes, b"\0")


def refusal(plaintext: bytes) -> MalformedTelegram:
    """Decode what does not fit, and return the error."""
    with pytest.raises(MalformedTelegram) as caught:
        codec.decode(plaintext)
    return caught.value


def field_refused(plaintext: bytes) -> str:
    """Return the field at which a plaintext is refused; empty if it decodes."""
    try:
        codec.decode(plaintext)
    except MalformedTelegram as error:
        return error.field
    return ""


@pytest.mark.parametrize("telegram", SAMPLES, ids=lambda telegram: type(telegram).__name__)
def test_every_telegram_comes_back_as_it_went(telegram: AnyTelegram) -> None:
    """Decoding undoes encoding, for each kind of telegram."""
    plaintext = codec.encode(telegram)

    assert telegram == codec.decode(plaintext)
    assert len(plaintext) in TELEGRAM_BUCKETS_BYTES


def test_the_plaintext_is_length_map_and_zeros() -> None:
    """The form is the documented one, down to the bytes (TP-040)."""
    body = msgspec.msgpack.encode(BEGIN)
    expected = len(body).to_bytes(4, "big") + body
    plaintext = codec.encode(Begin(visit_id=VISIT_ID, attempt=1))

    assert expected == plaintext[: len(expected)]
    assert not any(plaintext[len(expected) :])
    assert BEGIN == msgspec.msgpack.decode(plaintext[4 : len(expected)])


def test_the_digest_covers_the_padding() -> None:
    """A reply names its request by SHA-256 of the whole plaintext (TP-042)."""
    plaintext = codec.encode(Begin(visit_id=VISIT_ID, attempt=1))

    assert hashlib.sha256(plaintext).digest() == codec.digest(plaintext)


def test_a_field_that_we_do_not_know_is_ignored() -> None:
    """A later version may add fields (TP-043)."""
    plaintext = packed(BEGIN | {"colour": "green", "zz": {"deep": [1, 2]}})

    assert Begin(visit_id=VISIT_ID, attempt=1) == codec.decode(plaintext)


def test_what_fits_no_bucket_is_our_own_bug() -> None:
    """A telegram larger than the largest bucket is never made."""
    with pytest.raises(Misuse):
        codec.encode(Acknowledged(state="x" * 60_000))


@pytest.mark.parametrize(
    "plaintext",
    [
        b"",
        b"\0" * 511,
        b"\0" * 513,
        packed(BEGIN) + b"\0",
        packed(BEGIN)[:-1] + b"\1",
        b"\xff" * 512,
        (509).to_bytes(4, "big") + b"\0" * 508,
        (0).to_bytes(4, "big") + b"\0" * 508,
        packed([BEGIN]),
        packed(None),
        packed({1: 2}),
        packed({"telegram": "begin"}),
        (1).to_bytes(4, "big") + b"\xc1".ljust(508, b"\0"),
    ],
)
def test_wrong_frames_are_malformed_at_the_root(plaintext: bytes) -> None:
    """Bad length, bad padding, or no map at all: the field is ``$``."""
    assert "$" == refusal(plaintext).field


def test_bytes_after_the_map_are_malformed() -> None:
    """The length must be the map's own, or something could hide behind it."""
    body = msgspec.msgpack.encode(BEGIN) + b"\0"
    plaintext = (len(body).to_bytes(4, "big") + body).ljust(SMALL_BUCKET_BYTES, b"\0")

    assert "$" == refusal(plaintext).field


def test_deep_nesting_is_malformed() -> None:
    """Arrays in arrays in arrays end in the error, not in a crash."""
    body = b"\x91" * 40_000 + b"\xc0"
    plaintext = (len(body).to_bytes(4, "big") + body).ljust(TELEGRAM_BUCKETS_BYTES[-1], b"\0")

    assert "$" == refusal(plaintext).field


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"telegram": CANARY}, "$.telegram"),
        ({"visit_id": CANARY}, "$.visit_id"),
        ({"visit_id": CANARY.encode()}, "$.visit_id"),
        ({"attempt": CANARY}, "$.attempt"),
        ({"attempt": f"x - at `$.{CANARY}`"}, "$.attempt"),
        ({"telegram": f"x - at `$.{CANARY}`"}, "$.telegram"),
        ({"attempt": 0}, "$.attempt"),
        ({"attempt": 11}, "$.attempt"),
        ({"attempt": 1.5}, "$.attempt"),
        ({"attempt": None}, "$.attempt"),
        ({"in_reply_to": [1, 2]}, "$.in_reply_to"),
        ({"in_reply_to": [1, -2, DIGEST]}, "$.in_reply_to[1]"),
        ({"in_reply_to": [1 << 32, 2, DIGEST]}, "$.in_reply_to[0]"),
    ],
)
def test_the_error_names_the_field_and_never_its_value(change: dict[str, Any], field: str) -> None:
    """A canary in a field shows neither in the text nor in the causes (TP-041)."""
    error = refusal(packed(BEGIN | change))

    assert field == error.field
    assert f"telegram does not fit the table at {field}" == str(error)
    assert error.__cause__ is None
    assert error.__suppress_context__


@pytest.mark.parametrize("key_bytes", [0, 16, CONTENT_KEY_BYTES - 1, CONTENT_KEY_BYTES + 1])
def test_a_content_key_of_another_length_is_malformed(key_bytes: int) -> None:
    """The one secret of the table is an AES-256 key and nothing shorter."""
    released = next(sample for sample in SAMPLES if isinstance(sample, Released))
    content = msgspec.msgpack.decode(codec.encode(released)[4:].rstrip(b"\0"), strict=False)
    content["content_key"] = bytes(key_bytes)

    assert "$.content_key" == refusal(packed(content, bucket_bytes=4_096)).field


def test_a_secret_hides_in_the_bytes_only() -> None:
    """The content key is in the plaintext, which only ever leaves sealed."""
    released = next(sample for sample in SAMPLES if isinstance(sample, Released))

    assert CONTENT_KEY.reveal() in codec.encode(released)


def test_only_secrets_have_a_special_form() -> None:
    """A value of another foreign type is not silently written."""
    with pytest.raises((NotImplementedError, TypeError)):
        codec.encode(Acknowledged(state=object()))  # type: ignore[arg-type] # on purpose


@given(st.binary(max_size=600))
def test_random_bytes_never_raise_anything_else(plaintext: bytes) -> None:
    """Whatever comes, it is a telegram or ``MalformedTelegram``."""
    for candidate in (plaintext, plaintext[:512].ljust(512, b"\0")):
        assert field_refused(candidate)[:1] in ("", "$")


@given(st.sampled_from(SAMPLES), st.integers(0, 1 << 32), st.integers(1, 6))
def test_damaged_telegrams_never_raise_anything_else(
    telegram: AnyTelegram, seed: int, places: int
) -> None:
    """Valid plaintexts with changed bytes are telegrams or ``MalformedTelegram``."""
    dice = random.Random(seed)
    plaintext = bytearray(codec.encode(telegram))
    end = 4 + int.from_bytes(plaintext[:4], "big")
    for _ in range(places):
        plaintext[dice.randrange(min(end, 400))] = dice.randrange(256)
    assert field_refused(bytes(plaintext))[:1] in ("", "$")


JSON_LIKE = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(1 << 63), (1 << 64) - 1)
    | st.floats()
    | st.text(max_size=8)
    | st.binary(max_size=40),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)


@given(st.sampled_from(SAMPLES), st.data())
def test_foreign_values_in_any_field_are_malformed_at_it(
    telegram: AnyTelegram, data: st.DataObject
) -> None:
    """Any value in any field decodes, or is refused under a path that begins at that field."""
    plaintext = codec.encode(telegram)
    length = int.from_bytes(plaintext[:4], "big")
    content = msgspec.msgpack.decode(plaintext[4 : 4 + length])
    field = data.draw(st.sampled_from(sorted(content)))
    content[field] = data.draw(JSON_LIKE)
    refused = field_refused(packed(content, bucket_bytes=TELEGRAM_BUCKETS_BYTES[-1]))

    assert refused in ("", "$") or refused.startswith(f"$.{field}")
