"""Whether this holder may have a certificate here and now, and if not, why."""

from collections.abc import Iterable
from datetime import date

from issuance_server.core.calendar import civil
from issuance_server.core.choices import CHOICES, SCOPES
from issuance_server.core.facts import HolderFacts, Now
from issuance_server.core.freshness import freshness_refusal
from issuance_server.core.kind_eligibility import kind_refusal, refused_kinds
from issuance_server.core.refusals import AnyRefusal, Refusal
from issuance_server.core.register import age_on
from issuance_server.core.rules import CityRules
from issuance_server.core.standing import MoveOutPolicy, Standing
from issuance_server.core.suppression import SubjectKind, SuppressionReason
from protocol.codes import ReplyCode
from protocol.kinds import Item, Kind, Options, Scope


def holder_refusal(rules: CityRules, holder: HolderFacts | None, now: Now) -> AnyRefusal | None:
    """Return why this holder may have nothing, or None.

    What must not be told comes first and has one answer with a person whom the register does not
    know. The age counts by 年齢計算法, as of the business day, which is the day of issue.
    """
    if holder is None:
        return Refusal.RESIDENT_UNKNOWN
    refusal = _suppression_refusal(holder) or _removal_refusal(holder.standing)
    if refusal is not None:
        return refusal
    stale = freshness_refusal(holder, rules.register_age_ms_max)
    if stale is not None:
        return stale
    if holder.standing is Standing.CHARACTERS_PENDING:
        return Refusal.CHARACTERS_PENDING
    moving = holder.standing is Standing.MOVE_OUT_FILED
    if moving and rules.move_out is not MoveOutPolicy.NOBODY:
        return Refusal.MOVE_OUT_FILED
    today = civil(now.business_ms).date()
    return Refusal.UNDER_AGE if _is_under(rules.age_min_years, holder.birth_on, today) else None


def application_refusal(
    rules: CityRules, kind: Kind, options: Options, holder: HolderFacts, now: Now
) -> AnyRefusal | None:
    """Return why this application cannot be taken, or None.

    Args:
        rules: the city's.
        kind: one that the terminal issues now.
        options: what was chosen.
        holder: who may have something here at all.
        now: the time of the application.
    """
    refusal = kind_refusal(rules, kind, holder, civil(now.business_ms).date())
    if refusal is not None:
        return refusal
    members, some = options.members, options.scope is Scope.SOME
    fits = bool(members) == some and len(set(members)) == len(members)
    known = all(number <= holder.household_members for number in members)
    covers = options.scope in CHOICES[kind].scopes
    once = len(set(options.items)) == len(options.items)
    if not (fits and known and covers and once):
        return ReplyCode.OPTIONS_INVALID
    return _items_refusal(rules, kind, options.items)


def release_refusal(
    rules: CityRules, kind: Kind, holder: HolderFacts | None, now: Now
) -> AnyRefusal | None:
    """Return why what was quoted may not be released any more, or None.

    These are the same questions again, with the facts of the release's own transaction.
    """
    refusal = holder_refusal(rules, holder, now)
    if refusal is not None or holder is None:
        return refusal
    return kind_refusal(rules, kind, holder, civil(now.business_ms).date())


def kinds_for(
    rules: CityRules, offered: Iterable[Kind], holder: HolderFacts, now: Now
) -> tuple[Kind, ...]:
    """Return those of the offered kinds that this holder can have."""
    offered = tuple(offered)
    refused = refused_kinds(rules, offered, holder, civil(now.business_ms).date())
    return tuple(kind for kind in offered if kind not in refused)


def items_of(rules: CityRules, kind: Kind) -> tuple[Item, ...]:
    """Return what can be asked for with a kind here."""
    return tuple(item for item in rules.items if item in CHOICES[kind].items)


def scopes_of(kind: Kind) -> tuple[Scope, ...]:
    """Return whom a kind can cover, in the order of the menu."""
    return tuple(scope for scope in SCOPES if scope in CHOICES[kind].scopes)


def _items_refusal(rules: CityRules, kind: Kind, items: tuple[Item, ...]) -> AnyRefusal | None:
    """The Individual Number is printed where the city permits it, and only if asked for."""
    offered = items_of(rules, kind)
    if all(item in offered for item in items):
        return None
    wanted = Item.MY_NUMBER in items and Item.MY_NUMBER in CHOICES[kind].items
    others = all(item in offered for item in items if item is not Item.MY_NUMBER)
    return Refusal.MY_NUMBER_NOT_OFFERED if wanted and others else ReplyCode.OPTIONS_INVALID


def _suppression_refusal(holder: HolderFacts) -> Refusal | None:
    """Return the gravest of what lies on the person and the household.

    Neither the level nor a last day that is over changes anything: nobody at a terminal could act
    on an alert, and no suppression ends by itself (標準仕様書 §3.1).
    """
    reasons = {ground.reason for ground in holder.suppressions}
    if SuppressionReason.SUPPORT in reasons:
        return Refusal.SUPPORTED
    if SuppressionReason.PROVISIONAL_SUPPORT in reasons:
        return Refusal.PROVISIONALLY_SUPPORTED
    on = {ground.subject_kind for ground in holder.suppressions}
    if SubjectKind.PERSON in on:
        return Refusal.SUPPRESSED
    return Refusal.HOUSEHOLD_SUPPRESSED if on else None


def _removal_refusal(standing: Standing) -> Refusal | None:
    """Return the word for an entry that is a 除票."""
    return Refusal(standing.value) if standing.is_removed else None


def _is_under(age_min_years: int, birth_on: date | None, today: date) -> bool:
    """An unknown birth date is no reason to refuse an adult's card: cards are given from 15 on."""
    return birth_on is not None and age_on(birth_on, today) < age_min_years
