"""What of the core's inputs, facts and effects stands in a core trace (SPEC.md TP-135).

Whoever gives a class a field that can hold a text, bytes or a date decides it here; until then
nothing can be recorded. Four rules were followed:

- The core must decide the same with what stands in the trace. It compares ids and signatures, and
  hands them on; so a pseudonym will do, the same one wherever the content is the same.
- Nobody must find a person by it: ids of residents, operators, cards' certificates and everything
  that somebody has typed are pseudonyms. ``card_ref`` is drawn at random, and says nothing.
- A date of birth is replaced by one that is on the same side of every age limit, and the day since
  which somebody is a resident by one on the same side of 1 January (``safe_dates``).
- Records of the register are left out: the core counts them, and looks at nothing in them.
"""

from collections.abc import Mapping
from datetime import date
from typing import get_args

from issuance_server.core.calendar import civil
from issuance_server.core.effects import Effect
from issuance_server.core.facts import Facts, HolderFacts, Now
from issuance_server.core.inputs import Input
from issuance_server.core.register import age_on
from issuance_server.core.rules import CityRules
from issuance_server.core.tax_register import latest_fiscal_year
from protocol.secret import Secret
from protocol.trace.hiding import Hider
from protocol.trace.values import Mark, Values

_SHOWN = (
    "act as_of business_day call_centre card_ref carried_over cause chain challenge city city_name"
    " day digest earlier_day event file_digest fingerprint issuance_id issuance_ids items key_day"
    " line_id mismatches_elsewhere nonce numbers pages request_digest request_id root"
    " sealed_digest software store suppression_id tax_year_days terminal terminals"
    " until until_day usable_from visit_id"
)
"""Ids that are drawn at random, digests, days of business, places, and words of fixed lists."""

_PERSONS = (
    "address birth domicile household_id name operator operators phone register_head resident_id"
    " second subject subject_id"
)
"""Whom something is about, who did it, and what they said of themselves. The subject of an act can
be a resident, or a digest over one, which could be guessed."""

MARKS: Mapping[str, Mark] = {
    **dict.fromkeys(_SHOWN.split(), Mark.SHOWN),
    **dict.fromkeys(_PERSONS.split(), Mark.PERSON),
    "certificate_serial": Mark.CARD,
    "signature": Mark.SIGNATURE,
    "report_public_key": Mark.SEALED,
    "wrapped_key": Mark.SEALED,
    "words": Mark.PERSON,
    "HolderFacts.birth_on": Mark.SHOWN,  # another date: ``safe_dates``
    "HolderFacts.resident_since": Mark.SHOWN,  # likewise
    "ActAccepted.reason": Mark.WORDS,
    "ActEnded.reason": Mark.WORDS,
    "OperatorActed.reason": Mark.ECHO,
    "OperatorActEnded.reason": Mark.ECHO,
    "IssuanceClosed.reason": Mark.ECHO,
    "IssuingStopped.fault": Mark.ECHO,  # of an operator's stop: the operator's words
    "LineStopped.reason": Mark.SHOWN,  # a word of this program
    "RenderingFailed.reason": Mark.SHOWN,  # likewise
    "GateFailed.fault": Mark.SHOWN,  # likewise
    "Log.fields": Mark.BY_KEY,
    "Log.fields.operator": Mark.PERSON,
    "Log.fields.second": Mark.PERSON,
    "Log.fields.reason": Mark.ECHO,
    "Log.fields.fault": Mark.ECHO,
    "NewTables.content": Mark.SHOWN,  # the city's tables are public, and decisions follow from them
    "TablesLoaded.content": Mark.SEALED,  # as the input has it whole
    "NewExtract.staged": Mark.LEFT_OUT,  # a path of this machine
    "HouseholdsChanged.put": Mark.LEFT_OUT,
    "HouseholdsChanged.removed": Mark.LEFT_OUT,
    "RecordPut.record": Mark.LEFT_OUT,
    "RecordRemoved.key": Mark.LEFT_OUT,
    "Beginning.tables": Mark.SHOWN,  # the same tables
    "Beginning.stopped_terminals": Mark.SHOWN,
    "Beginning.closed_through": Mark.SHOWN,
}
"""By ``Class.field``, or for all classes by ``field``. What telegrams hold their own types say."""

_LONG_AGO = date.min
_NEVER = date.max


def values_of_core(key: Secret | None, *, also: tuple[type, ...] = ()) -> Values:
    """Return what codes the values of the core.

    Args:
        key: of the pseudonyms, 32 random bytes; None: of a trace that was recorded before.
        also: classes of the recording itself.
    """
    return Values([*get_args(Input), *get_args(Effect), Facts, CityRules, *also], MARKS, Hider(key))


def safe_dates(holder: HolderFacts, rules: CityRules, now: Now) -> tuple[date | None, date | None]:
    """Return a birth and a day of becoming a resident from which the core decides the same.

    Args:
        holder: as it was read.
        rules: with the age limit, and the days of the tax years.
        now: of the step.
    """
    today = civil(now.business_ms).date()
    born, since = holder.birth_on, holder.resident_since
    if born is not None:
        born = _NEVER if age_on(born, today) < rules.age_min_years else _LONG_AGO
    if since is not None:
        year = latest_fiscal_year(today, rules.tax_year_days)
        since = _NEVER if since > date(year, 1, 1) else _LONG_AGO
    return born, since
