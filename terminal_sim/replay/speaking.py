"""Makes live telegrams of recorded ones: with live ids, numbers, challenges and signatures."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from protocol import codec
from protocol.codes import ReplyCode
from protocol.errors import KofuError, Misuse
from protocol.limits import CHALLENGE_BYTES, ID_BYTES, SMALL_BUCKET_BYTES
from protocol.shown import Shown
from protocol.telegrams import AnyTelegram, ChallengeGiven, Deleted, Quotation, Report
from protocol.terminal_statements import DeletionReport, PrintReport
from protocol.trace.patterns import is_pattern, name_of
from protocol.trace.redaction import is_hidden
from protocol.trace.scenario_fields import TELEGRAMS
from terminal_sim.core.requests import Authentication
from terminal_sim.replay.hand import Hand
from terminal_sim.replay.matching import Matching
from terminal_sim.replay.script import Say, kind_of

_NO_FIELD = frozenset({"telegram", "in_reply_to"})
_ATTEMPTS = {"authenticate": "card", "authenticate-certificate": "certificate"}
_SAMPLE_PERSON = "見本"
_LENGTH_BYTES = 4
_KIND = "telegram"


class CannotSay(KofuError):
    """A telegram of the trace cannot be sent; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Quoted:
    """One quotation, as recorded and as it came."""

    recorded: Mapping[str, Any]
    live: Quotation


@dataclass(slots=True, kw_only=True)
class Speaker:
    """Knows what the city said so far, and completes what is to be said.

    Attributes:
        matching: which recorded thing is which live one.
        clock: milliseconds since 1970, for reports.
        draw: gives so many random bytes.
    """

    matching: Matching
    clock: Callable[[], int]
    draw: Callable[[int], bytes]
    _challenges: dict[tuple[bytes, int], bytes] = field(default_factory=dict)
    _quoted: dict[bytes, _Quoted] = field(default_factory=dict)

    def learn(self, recorded: Mapping[str, Any], live: AnyTelegram) -> None:
        """Keep what later telegrams need of an answer."""
        match live:
            case ChallengeGiven():
                self._challenges[live.visit_id, live.attempt] = live.challenge
            case Quotation():
                self._quoted[live.issuance_id] = _Quoted(recorded=recorded, live=live)
            case _:
                pass

    def is_beyond(self, telegram: Mapping[str, Any]) -> bool:
        """Tell whether a piece is asked for that the live certificate has not."""
        if kind_of(dict(telegram)) != "fetch":
            return False
        issuance = self.matching.live(telegram["issuance_id"])
        quoted = None if issuance is None else self._quoted.get(issuance)
        piece, recorded = telegram.get("piece"), quoted and quoted.recorded.get("pieces")
        in_trace = not isinstance(recorded, int) or (isinstance(piece, int) and piece < recorded)
        return bool(quoted and isinstance(piece, int) and piece >= quoted.live.pieces and in_trace)

    def complete(self, say: Say, hand: Hand) -> AnyTelegram:
        """Return the live telegram of a recorded one.

        Raises:
            CannotSay: it does not fit the tables of this version.
            SetUpError: a card or a PIN is missing.
        """
        telegram = say.said.telegram
        kind = kind_of(telegram)
        if kind not in TELEGRAMS:
            raise CannotSay(f"{kind!r} is no telegram of this version")
        fields = {
            name: self._bound(value) for name, value in telegram.items() if name not in _NO_FIELD
        }
        try:
            if kind in _ATTEMPTS:
                return self._attempt(say, fields, telegram[_ATTEMPTS[kind]], hand)
            if kind in {"report", "deleted"}:
                return self._report(kind, fields["report"], hand)
            if kind == "open":
                fields |= {"terminal": hand.config.terminal, "witnessed": 0}
                fields["unfinished"] = self._known_unfinished(telegram)
            if kind == "release":
                fields["amount_yen"] = self._number(fields, "amount_yen", "fee_yen")
            return _typed(TELEGRAMS[kind], fields)
        except (msgspec.ValidationError, KeyError, TypeError) as error:
            raise CannotSay(f"{kind!r} cannot be sent as it stands: {error}") from None

    def _attempt(self, say: Say, fields: dict[str, Any], card: Any, hand: Hand) -> AnyTelegram:
        visit_id, attempt = fields["visit_id"], fields["attempt"]
        challenge = self._challenges.get((visit_id, attempt), bytes(CHALLENGE_BYTES))
        asked = Authentication(visit_id=visit_id, attempt=attempt, challenge=challenge)
        name = card["is"] if is_hidden(card) else "?"
        return hand.authenticate(asked, str(name), _refusal_of(say.answered_by))

    def _report(self, kind: str, fields: dict[str, Any], hand: Hand) -> AnyTelegram:
        fields = {**fields, "at_ms": self.clock()}
        if kind == "deleted":
            deletion = _typed_part(DeletionReport, fields)
            return Deleted(report=deletion, signature=hand.sign(deletion))
        fields["sheets_out"] = self._number(fields, "sheets_out", "sheets")
        printed = _typed_part(PrintReport, fields)
        return Report(report=printed, signature=hand.sign(printed))

    def _number(self, fields: Mapping[str, Any], name: str, quoted_as: str) -> Any:
        """Return what was quoted live, where the trace has what was quoted there."""
        quoted = self._quoted.get(fields["issuance_id"])
        if quoted is not None and fields[name] == quoted.recorded.get(quoted_as):
            return getattr(quoted.live, quoted_as)
        return fields[name]

    def _known_unfinished(self, telegram: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Return what this conversation left unfinished; of others nothing is known here."""
        return [
            {"issuance_id": live, "state": one["state"]}
            for one in telegram.get("unfinished", ())
            if (live := self.matching.live(one["issuance_id"])) is not None
        ]

    def _bound(self, value: Any) -> Any:
        match value:
            case _ if is_pattern(value):
                return self.matching.named(name_of(value)) or 0
            case {"~": hidden, **rest}:
                person = hidden == Shown.PERSON.value
                return f"{_SAMPLE_PERSON}{rest.get('is', '')}" if person else value
            case dict():
                return {name: self._bound(one) for name, one in value.items()}
            case list() | tuple():
                return [self._bound(one) for one in value]
            case bytes():
                return self._live(value)
            case _:
                return value

    def _live(self, recorded: bytes) -> bytes:
        known = self.matching.live(recorded)
        if known is None:
            known = self.draw(len(recorded) or ID_BYTES)
            self.matching.bind(recorded, known)
        return known


def no_telegram() -> bytes:
    """Return a plaintext in which there is no telegram of any table."""
    packed = msgspec.msgpack.encode({"telegram": "no-telegram"})
    plain = len(packed).to_bytes(_LENGTH_BYTES, "big") + packed
    return plain.ljust(SMALL_BUCKET_BYTES, b"\0")


def plaintext_of(telegram: AnyTelegram) -> bytes:
    """Return what is sealed.

    Raises:
        CannotSay: it fits no bucket.
    """
    try:
        return codec.encode(telegram)
    except Misuse as error:
        raise CannotSay(str(error)) from None


def _typed(kind: type[AnyTelegram], fields: dict[str, Any]) -> AnyTelegram:
    plain = {_KIND: kind.__struct_config__.tag, **fields}
    return msgspec.convert(plain, type=kind, builtin_types=(bytes,))


def _typed_part(kind: type[Any], fields: dict[str, Any]) -> Any:
    return msgspec.convert(fields, type=kind, builtin_types=(bytes,))


def _refusal_of(answer: Mapping[str, Any] | None) -> ReplyCode | None:
    code = None if answer is None else answer.get("code")
    return ReplyCode(code) if isinstance(code, int) and code in set(ReplyCode) else None
