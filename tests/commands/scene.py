"""A control desk on a real file, with a judge that notes in which order things happen."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from issuance_server.adapters.sqlite.queries import Queries
from issuance_server.control import wire
from issuance_server.control.act_check import Believed
from issuance_server.control.desk import ControlDesk
from issuance_server.core.card_registration import SealedCard, card_ref_of
from issuance_server.core.inputs import ActAccepted, ActEnded
from issuance_server.core.pin_policy import CardState
from keys.authority import Authority
from keys.operators import Operator, OperatorRing, SignedAct
from keys.signing import SigningKey
from protocol.errors import AdapterError, JournalFailed, KeyManagementError
from tests.adapters.city_file import CityFile, HandClock
from tests.core.made import CARD_REF, START_REAL_MS

OPERATOR = Operator("mado-1", SigningKey.generate())
SECOND = Operator("mado-2", SigningKey.generate())
STRANGER = Operator("mado-9", SigningKey.generate())
AUTHORITY = Authority.generate("272035", not_before=datetime(2026, 1, 1, tzinfo=UTC))


@dataclass
class StandInJudge:
    """Notes in which order things happen."""

    course: list[str]
    known: bool = True
    refuses: str = ""
    reachable: bool = True
    cards: list[SealedCard | None] = field(default_factory=list)

    async def card_states(self, _card_ref: str | None = None) -> tuple[CardState, ...]:
        if not self.reachable:
            raise AdapterError("the judge is not running")
        return (CardState(card_ref=CARD_REF, tries_left=1),)

    async def card_known(self, _card_ref: str) -> bool:
        return self.known

    async def counter_act(
        self,
        signed: SignedAct,
        second: SignedAct | None = None,
        card: SealedCard | None = None,
    ) -> None:
        if not self.reachable:
            raise AdapterError("the judge is not running")
        if self.refuses:
            raise KeyManagementError(self.refuses)
        by = [one.act.operator for one in (signed, second) if one is not None]
        self.course.append(f"{signed.act.act} {card_ref_of(signed.act.subject)} {' '.join(by)}")
        self.cards.append(card)

    async def unfreeze(self, signed: SignedAct) -> None:
        self.course.append(f"unfrozen {signed.act.subject}")


@dataclass
class Scene:
    """A desk on a real file with a stand-in judge."""

    city: CityFile
    course: list[str] = field(default_factory=list)
    logged: list[tuple[str, dict[str, object]]] = field(default_factory=list)
    clock: HandClock = field(default_factory=HandClock)
    journal_fails: bool = False

    def __post_init__(self) -> None:
        self.judge = StandInJudge(self.course)
        self.desk = ControlDesk(
            queries=Queries(self.city.path),
            judge=self.judge,  # type: ignore[arg-type]  # what the desk asks of it
            believed=Believed(
                operators=lambda: OperatorRing(
                    {"mado-1": OPERATOR.public_key, "mado-2": SECOND.public_key}
                ),
                authority_certificate=AUTHORITY.certificate_pem,
            ),
            record=self.record,
            clock=self.clock,
            log=lambda event, **fields: self.logged.append((event, fields)),
        )

    async def record(self, act: ActAccepted | ActEnded) -> None:
        if self.journal_fails:
            raise JournalFailed("full")
        await self.city.give(act)
        what = act.act if isinstance(act, ActAccepted) else act.outcome.value
        self.course.append(f"recorded {what}")

    async def ask(self, request: wire.Request) -> wire.Answer:
        return wire.decode_answer(await self.desk.handle(wire.encode(request)))


def signed(
    operator: Operator = OPERATOR, second: Operator | None = SECOND, **changes: Any
) -> wire.Act:
    """Return a signed act to unlock the card."""
    usual: dict[str, Any] = {
        "act": wire.ACT_CARD_UNLOCK,
        "subject": CARD_REF,
        "reason": "came with the passport",
        "nonce": b"n" * 16,
        "expires_at_ms": START_REAL_MS + 60_000,
    }
    said = usual | changes
    return wire.Act(
        signed=operator.sign(**said), second=None if second is None else second.sign(**said)
    )
