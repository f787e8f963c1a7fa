"""Whether this holder may have a certificate of a kind, as far as the registers say.

Every answer comes from facts that are read in the deciding transaction: the menu, the application
and the release ask the same questions, and whatever has changed in between is seen.
"""

from collections.abc import Iterable
from datetime import date

from issuance_server.core.choices import CHOICES
from issuance_server.core.facts import HolderFacts
from issuance_server.core.refusals import Refusal
from issuance_server.core.rules import CityRules
from issuance_server.core.standing import MoveOutPolicy, Standing
from issuance_server.core.tax_register import latest_fiscal_year
from protocol.kinds import Kind

DOMICILE_KINDS = frozenset({Kind.KOSEKI_ZENBU, Kind.KOSEKI_KOJIN, Kind.FUHYO})
"""What is kept where the 本籍 is, whoever lives where."""


def kind_refusal(rules: CityRules, kind: Kind, holder: HolderFacts, today: date) -> Refusal | None:
    """Return why this holder can have no certificate of this kind, or None.

    Args:
        rules: the city's.
        kind: one that the city offers.
        holder: who may have something here at all (``eligibility.holder_refusal``).
        today: the city's business day.
    """
    if holder.by_domicile and kind not in DOMICILE_KINDS:
        return Refusal.RESIDENT_ELSEWHERE
    if not CHOICES[kind].of_record:
        return _household_refusal(rules, holder)
    if kind is Kind.KAZEI and (refusal := _tax_refusal(rules, holder, today)):
        return refusal
    if kind not in holder.record_versions:
        return Refusal.SEAL_NOT_REGISTERED if kind is Kind.INKAN else Refusal.NO_FAMILY_REGISTER
    return _barred(kind, holder) or _register_refusal(kind, holder)


def refused_kinds(
    rules: CityRules, kinds: Iterable[Kind], holder: HolderFacts, today: date
) -> dict[Kind, Refusal]:
    """Return those of the kinds that this holder cannot have, each with the reason."""
    refusals = ((kind, kind_refusal(rules, kind, holder, today)) for kind in kinds)
    return {kind: refusal for kind, refusal in refusals if refusal is not None}


def _household_refusal(rules: CityRules, holder: HolderFacts) -> Refusal | None:
    """Return why nothing is certified of the household's residence.

    What lies on another member refuses the kind as a whole: a menu that offered the holder alone
    would tell that there is something about the others.
    """
    if holder.head_removed:
        return Refusal.HEAD_REMOVED
    if holder.member_suppressed:
        return Refusal.MEMBER_SUPPRESSED
    of_household = rules.move_out is MoveOutPolicy.HOUSEHOLD
    if of_household and Standing.MOVE_OUT_FILED in holder.others:
        return Refusal.MEMBER_MOVE_OUT_FILED
    if Standing.CHARACTERS_PENDING in holder.others:
        return Refusal.MEMBER_CHARACTERS_PENDING
    return None


def _tax_refusal(rules: CityRules, holder: HolderFacts, today: date) -> Refusal | None:
    """Return why there is no tax record of the year that is the latest today."""
    latest = latest_fiscal_year(today, rules.tax_year_days)
    if holder.tax_year == latest:
        return None
    if holder.resident_since is not None and holder.resident_since > date(latest, 1, 1):
        return Refusal.NOT_RESIDENT_ON_1_JANUARY
    if holder.tax_year is None:
        return Refusal.TAX_RECORD_MISSING
    return Refusal.TAX_YEAR_NOT_LATEST


def _register_refusal(kind: Kind, holder: HolderFacts) -> Refusal | None:
    """Return why nothing is certified of a register that somebody suppressed stands in as well.

    A 附票 shows where everybody in it lives. As with a filing in progress all kinds are refused,
    with the same answer, so that nobody can tell the one from the other.
    """
    suppressed = kind in holder.shows_suppressed
    return Refusal.REGISTER_MEMBER_SUPPRESSED if suppressed else None


def _barred(kind: Kind, holder: HolderFacts) -> Refusal | None:
    """Return what bars the record; an address history is barred as its family register is."""
    bar = holder.bars.get(kind)
    if bar is None and kind is Kind.FUHYO:
        bar = holder.bars.get(Kind.KOSEKI_ZENBU)
    return None if bar is None else Refusal(bar.value)
