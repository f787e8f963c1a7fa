"""Whether this holder may have a certificate here and now, and if not, why."""

from datetime import date

from issuance_server.core.calendar import civil
from issuance_server.core.choices import CHOICES
from issuance_server.core.facts import HolderFacts, Now
from issuance_server.core.register import age_on
from issuance_server.core.rules import CityRules
from protocol.codes import ReplyCode
from protocol.kinds import Item, Kind, Options, Scope

CLOCK_STEP_MS_MAX = 60_000
"""A copy from further in the future than this cannot show how fresh it is."""


def service_refusal(rules: CityRules, now: Now) -> ReplyCode | None:
    """Return why nothing may start now, or None."""
    return None if rules.calendar.is_open(now.business_ms) else ReplyCode.OUT_OF_HOURS


def holder_refusal(rules: CityRules, holder: HolderFacts | None, now: Now) -> ReplyCode | None:
    """Return why this holder may have nothing, or None.

    A suppressed person and one whom the register does not know get the same answer, which betrays
    neither. The age counts by 年齢計算法.
    """
    if holder is None or holder.suppressed:
        return ReplyCode.NOT_ISSUED_HERE
    if not -CLOCK_STEP_MS_MAX <= holder.register_age_ms <= rules.register_age_ms_max:
        return ReplyCode.REGISTER_STALE
    today = civil(now.business_ms).date()
    if _is_under(rules.age_min_years, holder.birth_on, today):
        return ReplyCode.UNDER_AGE
    return None


def application_refusal(
    rules: CityRules, kind: Kind, options: Options, holder: HolderFacts
) -> ReplyCode | None:
    """Return why this application cannot be taken, or None.

    What the city does not offer is *not offered*; what this holder has no record for is *not
    issued here*, and the counter can say more.
    """
    if kind not in rules.fees_yen:
        return ReplyCode.KIND_NOT_OFFERED
    if not _has_record(kind, holder):
        return ReplyCode.NOT_ISSUED_HERE
    members, some = options.members, options.scope is Scope.SOME
    fits = bool(members) == some and len(set(members)) == len(members)
    known = all(number <= holder.household_members for number in members)
    asked = all(item in items_of(rules, kind) for item in options.items)
    once = len(set(options.items)) == len(options.items)
    covers = options.scope in CHOICES[kind].scopes
    return None if fits and known and asked and once and covers else ReplyCode.OPTIONS_INVALID


def kinds_for(rules: CityRules, holder: HolderFacts) -> tuple[Kind, ...]:
    """Return the kinds that the city offers and this holder has a record for."""
    return tuple(kind for kind in rules.fees_yen if _has_record(kind, holder))


def items_of(rules: CityRules, kind: Kind) -> tuple[Item, ...]:
    """Return what can be asked for with a kind here."""
    return tuple(item for item in rules.items if item in CHOICES[kind].items)


def _has_record(kind: Kind, holder: HolderFacts) -> bool:
    """The resident register has one of everybody; the others have not."""
    return not CHOICES[kind].of_record or kind in holder.record_versions


def _is_under(age_min_years: int, birth_on: date | None, today: date) -> bool:
    """An unknown birth date is no reason to refuse an adult's card: cards are given from 15 on."""
    return birth_on is not None and age_on(birth_on, today) < age_min_years
