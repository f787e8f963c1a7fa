"""What operators and the register want in a seeded walk."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from issuance_server.core import inputs as i
from issuance_server.core import records as r
from issuance_server.core import register_feed as f
from issuance_server.core.card_registration import BegunRegistration, CardChange, CardStep
from issuance_server.core.cards import CardKind, CardOccasion
from issuance_server.core.copy_changes import StandIn, StandInOver
from issuance_server.core.day_changes import (
    CarryOver,
    CloseDay,
    CloseIssuance,
    ReopenLine,
    SettleDifference,
)
from issuance_server.core.domicile_changes import Approval, Match, Rejection
from issuance_server.core.issuing_changes import ReopenIssuing, StopIssuing
from issuance_server.core.notice_changes import Subscribing, Unsubscribing
from issuance_server.core.record_holders import record_key
from issuance_server.core.suppression import (
    LiftedSuppression,
    NewSuppression,
    SubjectKind,
    Suppression,
    SuppressionReason,
)
from tests.adapters.city_file import HOUSEHOLDS, RECORDS
from tests.core.changes import moved_in, remarked, suppression, without
from tests.core.made import OTHER_TERMINAL, TABLES_TOML, TERMINAL
from tests.sim.store.pair import Pair

A, B, C = HOUSEHOLDS
PEOPLE = tuple(one.resident_id for household in HOUSEHOLDS for one in household.members)
DAY_MS = 24 * 60 * 60 * 1_000


@dataclass
class Acts:
    """Draws changes that fit what a pair of cities knows.

    Attributes:
        pair: where the walk goes.
        dice: of its seed.
    """

    pair: Pair
    dice: random.Random
    _sequence: int = 0

    def draw(self) -> i.Change:
        """Return what somebody wants next."""
        ready: tuple[Callable[[], Any], ...] = (
            self._of_people,
            self._of_people,
            self._of_register,
            self._of_register,
            self._of_days,
            self._of_terminals,
            self._of_cards,
            self._of_requests,
        )
        change: i.Change = self.dice.choice(ready)()
        return change

    def day(self) -> str:
        """Return a day of the walk."""
        return f"2026-{self.dice.choice(('11-29', '11-30', '12-01', '12-02'))}"

    def _of_people(self) -> Any:
        dice = self.dice
        person = dice.random() < 0.7
        subject = dice.choice(PEOPLE if person else tuple(one.household_id for one in HOUSEHOLDS))
        new = Suppression(
            suppression_id=f"s-{dice.randrange(4)}",
            subject_kind=SubjectKind.PERSON if person else SubjectKind.HOUSEHOLD,
            subject_id=subject,
            reason=dice.choice(list(SuppressionReason)),
            until=dice.choice((None, date(2027, 3, 31))),
        )
        lifted = LiftedSuppression(suppression_id=f"s-{dice.randrange(4)}")
        resident_id = dice.choice(PEOPLE)
        address = f"{resident_id}-{dice.randrange(3)}@example.org"
        choices = (
            NewSuppression(suppression=new),
            *(lifted,) * 5,
            Subscribing(resident_id=resident_id, address=address),
            Subscribing(resident_id=A.head_id, address=address),
            Unsubscribing(resident_id=resident_id),
        )
        return dice.choice(choices)

    def _of_register(self) -> Any:
        dice, now_ms = self.dice, self.pair.clock.real_ms
        self._sequence += 1
        base: dict[str, Any] = {
            "sequence": self._sequence,
            "as_of": datetime.fromtimestamp(now_ms // 1_000, UTC),
        }
        person, family = dice.choice(PEOPLE), A.household_id
        who = base | {"subject_kind": SubjectKind.PERSON, "subject_id": person}
        whose = base | {"subject_kind": SubjectKind.HOUSEHOLD, "subject_id": family}
        child = A.members[-1].resident_id
        record = dice.choice(list(RECORDS.values()))
        households = dice.choice(
            (
                (A,),
                (remarked(A, remarks=f"備考{dice.randrange(3)}"),),
                (without(A, len(A.members) - 1), moved_in(B, child, A)),
                (B, A),
                (C,),
            )
        )
        noted = suppression(f"r-{dice.randrange(3)}", dice.choice(PEOPLE))
        choices: tuple[f.AnyChange, ...] = (
            f.HouseholdsChanged(**base, put=households),
            f.HouseholdsChanged(**base, put=(A, B, C)),
            f.HouseholdsChanged(**base, removed=(C.household_id,)),
            f.RecordPut(**base, record=record),
            f.RecordRemoved(**base, key=record_key(record)),
            f.SuppressionNoted(**base, suppression=noted),
            f.SuppressionEnded(**base, suppression_id=f"r-{dice.randrange(3)}"),
            f.EditBegun(**who),
            *(f.EditEnded(**(who | {"subject_id": one})) for one in PEOPLE[:3]),
            f.EditBegun(**whose),
            *(f.EditEnded(**whose),) * 4,
            f.Heartbeat(**base),
        )
        until_ms = now_ms + dice.choice((1_000, DAY_MS // 2))
        fed = f.Placed(changes=tuple(dice.sample(choices, dice.choice((1, 1, 2)))), skipped=0)
        gap = f.Gap(expected=self._sequence, found=self._sequence + 2)
        weights = (10, 1, 1, 1)
        return dice.choices((fed, gap, StandIn(until_ms=until_ms), StandInOver()), weights)[0]

    def _of_days(self) -> Any:
        dice, day = self.dice, self.day()
        terminal = dice.choice((TERMINAL, OTHER_TERMINAL))
        choices: list[Any] = [
            CloseDay(day=day),
            CarryOver(terminal=terminal, day=day),
            SettleDifference(terminal=terminal, day=day),
            StopIssuing() if dice.random() < 0.6 else ReopenIssuing(),
            *(ReopenIssuing(),) * 3,
            *(ReopenLine(terminal=one) for one in (TERMINAL, OTHER_TERMINAL)),
            i.NewTables(content=TABLES_TOML),
        ]
        ids = list(self.pair.state.issuances)[:2]
        choices += [CloseIssuance(issuance_id=one, fee=r.ClosedFee.EARNED) for one in ids]
        return dice.choice(choices)

    def _of_terminals(self) -> Any:
        dice = self.dice
        number = dice.randrange(3, 9)
        name = f"LW-{number:04d}"
        known = dice.choice((TERMINAL, OTHER_TERMINAL, name))
        certificate = i.NewCertificate(
            terminal=known,
            line_id=dice.randbytes(8),
            fingerprint=dice.randbytes(32),
            report_public_key=dice.randbytes(32),
            until_ms=self.pair.clock.real_ms + dice.choice((1_000, 30 * DAY_MS)),
        )
        if known == name and name not in self.pair.disk.tables.terminal.kept:
            return i.Registration(certificate=certificate, chain="見本", store="店", in_city=True)
        if dice.random() < 0.3 and known == name:
            return i.Revocation(terminal=known)
        return i.RenewedCertificate(certificate=certificate, overlap_ms=dice.choice((0, DAY_MS)))

    def _of_cards(self) -> Any:
        dice = self.dice
        card_ref = f"card-{dice.randrange(5)}"
        steps = (CardStep.APPROVED, CardStep.REGISTERED, CardStep.CANCELLED, CardStep.WITHDRAWN)
        changed = CardChange(
            card_ref=dice.choice((card_ref, card_ref, "card-mynumber")),
            step=dice.choice((*steps, CardStep.REGISTERED, CardStep.PIN_RESET)),
            operator="mado-1",
            second="kanri-1",
            occasion=dice.choice((None, CardOccasion.NEW_CARD)),
        )
        in_use = self.pair.disk.tables.card_registration.kept
        if card_ref in in_use or card_ref in self.pair.disk.tables.card.kept:
            return changed
        kind = dice.choice(list(CardKind))
        return BegunRegistration(
            card_ref=card_ref,
            kind=kind,
            resident_id=dice.choice(PEOPLE),
            certificate_serial=f"c0{card_ref}" if kind is CardKind.MYNUMBER else None,
            occasion=CardOccasion.IN_USE,
            operator="mado-1",
            subject="subject",
        )

    def _of_requests(self) -> Any:
        requests = list(self.pair.disk.tables.domicile_request.kept)
        if not requests:
            return self._of_people()
        request_id = self.dice.choice(requests)
        choices = (
            Match(request_id=request_id, resident_id=self.dice.choice(PEOPLE)),
            Approval(request_id=request_id, usable_from=date(2026, 12, 7)),
            Rejection(request_id=request_id, words="窓口へ"),
        )
        return self.dice.choice(choices)
