"""What of a telegram may stand in a trace (TP-132).

The types of its fields say so (``protocol.shown``). What may not be shown is replaced by a map of
its own, which no field of a telegram is:

- ``{"~": "secret"}`` and ``{"~": "signature"}``: that one stood there;
- ``{"~": "sealed", "digest": …, "bytes": …}``: which ciphertext, and how long;
- ``{"~": "card", "is": …}`` and ``{"~": "person", "is": …}``: a pseudonym, the same for the same
  content as long as the trace lasts. It is made with a key that nothing keeps.
"""

import hashlib
import hmac
from collections.abc import Callable
from typing import Any, TypeAlias, get_args

import msgspec
from msgspec import inspect

from protocol.secret import Secret
from protocol.shown import Shown, mark_in
from protocol.telegrams import AnyTelegram

MARK = "~"
PSEUDONYM_BYTES = 4
PSEUDONYM_KEY_BYTES = 32

Hide: TypeAlias = Callable[[Any], Any]


class Redactor:
    """Makes telegrams fit to be shared."""

    def __init__(self, pseudonym_key: Secret) -> None:
        """Prepare for one trace.

        Args:
            pseudonym_key: 32 random bytes that are used for this trace and then forgotten.
        """
        self._key = pseudonym_key.reveal()
        types = {kind: inspect.type_info(kind) for kind in _KINDS}
        self._plans = {kind: self._struct_plan(info) for kind, info in types.items()}
        self._hiding_kinds = frozenset(
            kind for kind, info in types.items() if _marked(info, _IN_THE_CLEAR)
        )

    def hides(self, kind: type[AnyTelegram]) -> bool:
        """Tell whether telegrams of this kind hold a secret, a card or a person, in the clear."""
        return kind in self._hiding_kinds

    def redact(self, telegram: AnyTelegram) -> dict[str, Any]:
        """Return name and fields of a telegram, as plain values, without what may not be shown."""
        plain: dict[str, Any] = msgspec.to_builtins(
            telegram, builtin_types=(bytes,), enc_hook=_secret
        )
        shown: dict[str, Any] = self._plans[type(telegram)](plain)
        return shown

    def _struct_plan(self, info: inspect.Type) -> Hide:
        """Return how to go through a struct: only where there is something to hide."""
        assert isinstance(info, inspect.StructType)
        plans = {
            field.encode_name: plan
            for field in info.fields
            if (plan := self._plan(field.type)) is not None
        }

        def hide(fields: dict[str, Any]) -> dict[str, Any]:
            for name, plan in plans.items():  # ``fields`` was made for this alone
                if name in fields:
                    fields[name] = plan(fields[name])
            return fields

        return hide

    def _plan(self, info: inspect.Type) -> Hide | None:
        match info:
            case inspect.Metadata(extra=extra) if (how := mark_in(extra)) is not None:
                return self._hiding(how)
            case inspect.Metadata():
                return self._plan(info.type)
            case inspect.CustomType(cls=cls) if cls is Secret:
                return self._hiding(Shown.SECRET)
            case inspect.VarTupleType(item_type=item):
                each = self._plan(item)
                return None if each is None else lambda values: [each(value) for value in values]
            case inspect.UnionType(types=types):
                plans = [plan for one in types if (plan := self._plan(one)) is not None]
                return _unless_none(plans[0]) if plans else None
            case inspect.StructType() if not info.array_like and _marked(info, _ALL):
                return self._struct_plan(info)
            case _:
                return None

    def _hiding(self, how: Shown) -> Hide:
        if how in {Shown.SECRET, Shown.SIGNATURE}:
            return lambda _value: {MARK: how.value}
        if how is Shown.SEALED:
            return sealed
        return lambda value: pseudonym(self._key, how.value, value)


def pseudonym(key: bytes, how: str, content: bytes | str) -> dict[str, Any]:
    """Return what stands for a card, a person or the like: the same for the same content."""
    spelled = content.encode() if isinstance(content, str) else content
    keyed = hmac.digest(key, how.encode() + b"\0" + spelled, "sha256")
    return {MARK: how, "is": keyed[:PSEUDONYM_BYTES].hex()}


def sealed(content: bytes) -> dict[str, Any]:
    """Return what stands for a ciphertext."""
    digest = hashlib.sha256(content).digest()
    return {MARK: Shown.SEALED.value, "digest": digest, "bytes": len(content)}


def is_hidden(value: Any) -> bool:
    """Tell whether a value of a trace stands for something that may not be shown."""
    return isinstance(value, dict) and MARK in value


def _marked(info: inspect.Type, with_any_of: frozenset[Shown]) -> bool:
    """Tell whether something in a type is marked."""
    match info:
        case inspect.Metadata(extra=extra):
            return mark_in(extra) in with_any_of or _marked(info.type, with_any_of)
        case inspect.CustomType(cls=cls):
            return cls is Secret
        case inspect.VarTupleType(item_type=item):
            return _marked(item, with_any_of)
        case inspect.UnionType(types=types):
            return any(_marked(one, with_any_of) for one in types)
        case inspect.StructType():
            return any(_marked(field.type, with_any_of) for field in info.fields)
        case _:
            return False


def _unless_none(plan: Hide) -> Hide:
    return lambda value: None if value is None else plan(value)


def _secret(value: Any) -> Any:
    """Let ``to_builtins`` pass over a secret; nothing of it is taken."""
    if isinstance(value, Secret):
        return None
    raise NotImplementedError


_ALL = frozenset(Shown)
_IN_THE_CLEAR = frozenset({Shown.SECRET, Shown.CARD, Shown.PERSON})
_KINDS: tuple[type[AnyTelegram], ...] = get_args(AnyTelegram)
