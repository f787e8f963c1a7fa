"""13, 14, 19 and 32: nothing is released against the register, and nothing begins out of hours."""

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import Any

from issuance_server.core import records as r
from issuance_server.core.effects import ChangeCopy
from issuance_server.core.register_feed import EditBegun, EditEnded, HouseholdsChanged
from issuance_server.core.suppression import SubjectKind
from tests.core.made import RULES, START_REAL_MS
from tests.sim.checks.witness import Witness
from tests.sim.residents import SampleResidents

_JAPAN = timedelta(hours=9)
_OPENS, _CLOSES = timedelta(hours=6, minutes=30), timedelta(hours=23)


class Eligibility(Witness):
    """Keeps its own register of who may have something, in the order of the city's commits."""

    def __init__(self, residents: SampleResidents, *, all_day: bool) -> None:
        super().__init__()
        self._residents = residents
        self._all_day = all_day
        self._suppressed: dict[str, tuple[SubjectKind, str]] = {}
        self._edited: set[str] = set()
        self._watermark_ms = START_REAL_MS
        self._version: defaultdict[str, int] = defaultdict(int)
        self._applied: dict[bytes, tuple[str, str, int]] = {}

    def on_watermark(self, at_ms: int) -> None:
        """The copy has been seen to be as of then."""
        self._watermark_ms = at_ms

    def on_city_records(
        self, now: Any, records: list[r.AnyRecord], _kept: Any, _dropped: Any, changes: Any
    ) -> None:
        """Look at every release beside what was committed before it.

        A commit holds several steps; the order of its records is theirs. Changes of the copy come
        with the record of their act, and whatever is released in the same commit as an act is
        judged as if it came before it.
        """
        for record in records:
            if isinstance(record, r.IssuanceApplied):
                self._apply(record)
            elif isinstance(record, r.IssuanceReleased):
                self._look(record)
            elif isinstance(record, r.RegisterFed):
                self._watermark_ms = record.watermark_ms
            elif isinstance(record, r.SuppressionSet):
                subject = (record.subject_kind, record.subject_id)
                self._suppressed[record.suppression_id] = subject
            elif isinstance(record, r.SuppressionLifted):
                self._suppressed.pop(record.suppression_id, None)
        for effect in changes:
            if isinstance(effect, ChangeCopy):
                for change in effect.changes:
                    self._change(change)

    def _apply(self, record: r.IssuanceApplied) -> None:
        household = self._residents.household_of(record.resident_id).household_id
        version = self._version[household]
        self._applied[record.issuance_id] = (record.resident_id, household, version)
        business = datetime.fromtimestamp(record.business_ms / 1_000, UTC) + _JAPAN
        time = timedelta(hours=business.hour, minutes=business.minute, seconds=business.second)
        if not self._all_day and not _OPENS <= time < _CLOSES:
            self.broken(32, f"an application was taken at {business:%H:%M:%S}")

    def _look(self, record: r.IssuanceReleased) -> None:
        resident_id, household, version = self._applied[record.issuance_id]
        name = record.issuance_id.hex()[:8]
        own = {(SubjectKind.PERSON, resident_id), (SubjectKind.HOUSEHOLD, household)}
        if not own.isdisjoint(self._suppressed.values()):
            self.broken(13, f"{name} was released after a suppression was recorded")
        if household in self._edited:
            self.broken(19, f"{name} was released while its household was being edited")
        age_ms = record.at_ms - self._watermark_ms
        if age_ms > RULES.register_age_ms_max:
            self.broken(14, f"{name} was released from a copy that was {age_ms} ms old")
        if self._version[household] != version:
            self.broken(13, f"{name} was released after its household was changed")

    def _change(self, change: Any) -> None:
        match change:
            case EditBegun():
                self._edited.add(change.subject_id)
            case EditEnded():
                self._edited.discard(change.subject_id)
            case HouseholdsChanged():
                for household in change.put:
                    self._version[household.household_id] += 1
                    self._edited.discard(household.household_id)
