"""Whether this holder may have a certificate here and now, and if not, why."""

from datetime import date

from issuance_server.core.calendar import civil
from issuance_server.core.facts import HolderFacts, Now
from issuance_server.core.register import age_on
from issuance_server.core.rules import CityRules
from protocol.codes import ReplyCode
from protocol.kinds import Kind, Options, Scope

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
    """Return why this application cannot be taken, or None."""
    if kind not in rules.fees_yen:
        return ReplyCode.KIND_NOT_OFFERED
    members, some = options.members, options.scope is Scope.SOME
    fits = bool(members) == some and len(set(members)) == len(members)
    known = all(number <= holder.household_members for number in members)
    asked = all(item in rules.items for item in options.items)
    once = len(set(options.items)) == len(options.items)
    return None if fits and known and asked and once else ReplyCode.OPTIONS_INVALID


def _is_under(age_min_years: int, birth_on: date | None, today: date) -> bool:
    """An unknown birth date is no reason to refuse an adult's card: cards are given from 15 on."""
    return birth_on is not None and age_on(birth_on, today) < age_min_years
