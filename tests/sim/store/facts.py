"""The facts that a decision needs, from the tables in memory."""

from datetime import date

from issuance_server.adapters.sqlite.domicile_reading import resident_in
from issuance_server.core.cards import CardFacts
from issuance_server.core.domicile_changes import KnownRequest
from issuance_server.core.facts import (
    NO_HOUSEHOLD_VERSION,
    EndedIssuance,
    Facts,
    HolderFacts,
)
from issuance_server.core.kind_eligibility import DOMICILE_KINDS
from issuance_server.core.record_holders import holders_of
from issuance_server.core.register import Household
from issuance_server.core.suppression import Ground
from issuance_server.core.switch import Needs
from issuance_server.core.terminal_place import TerminalPlace
from protocol.codes import ReplyCode
from protocol.kinds import Kind
from protocol.terminal_statements import PrintOutcome
from tests.sim.store.day_tables import day_facts, print_facts
from tests.sim.store.register_tables import HOUSEHOLD, PERSON, copy_state, day
from tests.sim.store.tables import OtherRow, Place, Tables


def read_facts(tables: Tables, needs: Needs, real_ms: int) -> Facts:
    """Return what an input needs, as the open transaction sees it.

    Args:
        tables: of the city.
        needs: what to read.
        real_ms: the register's age is counted from this.
    """
    resident_id, card, by_domicile = needs.resident_id, None, False
    if needs.card_ref is not None or needs.certificate_serial is not None:
        card = _card(tables, needs.card_ref, needs.certificate_serial)
        resident_id = resident_id or (card.resident_id if card else None)
        if card is not None and tables.approved_request.any():
            by_domicile = tables.approved_request.get(card.card_ref) is not None
    holder = None
    if resident_id is not None:
        read_holder = holder_by_domicile if by_domicile else holder_facts
        holder = read_holder(tables, resident_id, real_ms)
    next_serial = 1
    if needs.serial_day is not None:
        taken = tables.number_serial.get(needs.serial_day) or 1
        next_serial = max(taken, tables.first_serial.get(None) or 1)
    terminal, issuance_id = needs.terminal, needs.issuance_id
    return Facts(
        holder=holder,
        next_serial=next_serial,
        ended=None if issuance_id is None else _ended(tables, issuance_id),
        resident_id=resident_id,
        place=None if terminal is None else _place(tables, terminal),
        card=card,
        day=None if needs.day is None else day_facts(tables, needs.day),
        prints=None if needs.prints_of is None else print_facts(tables, needs.prints_of, real_ms),
        domicile=_known_request(tables, needs.domicile_request, needs.domicile_serial),
    )


def holder_facts(tables: Tables, resident_id: str, real_ms: int) -> HolderFacts | None:
    """Return a holder's facts; None for somebody who is no resident."""
    household_id = tables.resident.get(resident_id)
    known = None if household_id is None else tables.household.get(household_id)
    if household_id is None or known is None:
        return None
    household, version = known
    place = _place_in(tables, household, resident_id)
    suppressed = tables.suppressions_of.any()
    edited = tables.register_edit.any()
    records = _records(tables, resident_id)
    state = copy_state(tables)
    return HolderFacts(
        household_id=household_id,
        register_version=version,
        birth_on=place.birth_on,
        suppressions=_grounds(tables, resident_id, household_id) if suppressed else (),
        standing=place.standing,
        resident_since=place.resident_since,
        register_age_ms=real_ms - state.watermark_ms,
        household_members=place.household_members,
        others=place.others,
        member_suppressed=suppressed
        and any(
            _suppressed(tables, one.resident_id)
            for one in household.members
            if one.resident_id != resident_id
        ),
        head_removed=place.head_removed,
        record_versions={kind: row.version for kind, row in records},
        bars={kind: row.bar for kind, row in records if row.bar is not None},
        tax_year=next((row.fiscal_year for _, row in records if row.fiscal_year is not None), None),
        shows_suppressed=_showing(tables, resident_id, records) if suppressed else frozenset(),
        under_edit=edited
        and (
            tables.register_edit.get((HOUSEHOLD, household_id)) is not None
            or any(
                tables.register_edit.get((PERSON, one.resident_id)) is not None
                for one in household.members
            )
        ),
        stand_in=state.stands_in(real_ms),
    )


def _place_in(tables: Tables, household: Household, resident_id: str) -> Place:
    """Return what depends on the household alone; it is worked out once for each version."""
    known = tables.places.get(resident_id)
    if known is not None and known[0] is household:
        return known[1]
    himself = household.member(resident_id)
    assert himself is not None, "residents and households agree"
    place = Place(
        birth_on=himself.birth.on,
        standing=himself.standing,
        resident_since=himself.became_resident_on.on,
        household_members=sum(not one.standing.is_removed for one in household.members),
        others=frozenset(
            one.standing for one in household.members if one.resident_id != resident_id
        ),
        head_removed=any(
            one.resident_id == household.head_id and one.standing.is_removed
            for one in household.members
        ),
    )
    tables.places[resident_id] = (household, place)
    return place


def holder_by_domicile(tables: Tables, resident_id: str, real_ms: int) -> HolderFacts | None:
    """Return the facts of a holder who lives elsewhere; None if no register has the person."""
    records = [
        (kind, row)
        for kind, row in _records(tables, resident_id)
        if kind in DOMICILE_KINDS and resident_in(row.record, resident_id) is not None
    ]
    if not records:
        return None
    himself = resident_in(records[0][1].record, resident_id)
    state = copy_state(tables)
    return HolderFacts(
        household_id="",
        register_version=NO_HOUSEHOLD_VERSION,
        birth_on=None if himself is None else himself.birth.on,
        suppressions=_grounds(tables, resident_id, None),
        register_age_ms=real_ms - state.watermark_ms,
        household_members=1,
        record_versions={kind: row.version for kind, row in records},
        bars={kind: row.bar for kind, row in records if row.bar is not None},
        shows_suppressed=_showing(tables, resident_id, records),
        under_edit=tables.register_edit.get((PERSON, resident_id)) is not None,
        stand_in=state.stands_in(real_ms),
        by_domicile=True,
    )


def _card(tables: Tables, card_ref: str | None, serial: str | None) -> CardFacts | None:
    if serial is not None:
        card_ref = tables.card_of_serial.get(serial)
    card = None if card_ref is None else tables.card.get(card_ref)
    if card_ref is None or card is None or card.withdrawn_at_ms is not None:
        return None
    return CardFacts(
        card_ref=card_ref,
        kind=card.kind,
        resident_id=card.resident_id,
        usable_from=day(card.usable_from),
    )


def _records(tables: Tables, resident_id: str) -> list[tuple[Kind, OtherRow]]:
    held = tables.records_of.get(resident_id) or ()
    rows = [(kind, tables.register_record.get(key)) for kind, key in held]
    return [(kind, row) for kind, row in rows if row is not None]


def _grounds(tables: Tables, resident_id: str, household_id: str | None) -> tuple[Ground, ...]:
    subjects = [(PERSON, resident_id)]
    if household_id is not None:
        subjects.append((HOUSEHOLD, household_id))
    grounds = []
    for subject in subjects:
        for suppression_id in tables.suppressions_of.get(subject) or ():
            suppression = tables.suppression.get(suppression_id)
            assert suppression is not None, "the index agrees with its table"
            grounds.append(Ground(subject[0], suppression.reason))
    return tuple(grounds)


def _suppressed(tables: Tables, resident_id: str) -> bool:
    return tables.suppressions_of.get((PERSON, resident_id)) is not None


def _showing(
    tables: Tables, resident_id: str, records: list[tuple[Kind, OtherRow]]
) -> frozenset[Kind]:
    """Return the kinds whose record shows somebody else on whom a suppression lies."""
    return frozenset(
        kind
        for kind, row in records
        if any(
            other_kind is kind and other != resident_id and _protected(tables, other)
            for other, other_kind in holders_of(row.record)
        )
    )


def _protected(tables: Tables, resident_id: str) -> bool:
    household_id = tables.resident.get(resident_id)
    return _suppressed(tables, resident_id) or (
        household_id is not None
        and tables.suppressions_of.get((HOUSEHOLD, household_id)) is not None
    )


def _place(tables: Tables, terminal: str) -> TerminalPlace | None:
    known = tables.terminal.get(terminal)
    if known is None:
        return None
    return TerminalPlace(
        terminal=terminal,
        terminal_class=known.terminal_class,
        chain=known.chain,
        in_city=known.in_city,
    )


def _ended(tables: Tables, issuance_id: bytes) -> EndedIssuance | None:
    issuance = tables.issuance.get(issuance_id)
    if issuance is None:
        return None
    code = None if issuance.code is None else ReplyCode(issuance.code)
    said = PrintOutcome.PRINTED if issuance.failure_cause is None else PrintOutcome.FAILED
    return EndedIssuance(
        terminal=issuance.terminal,
        state=issuance.state,
        code=code,
        reported=None if issuance.reported_at_ms is None else said,
    )


def _known_request(
    tables: Tables, request_id: bytes | None, serial: str | None
) -> KnownRequest | None:
    """Return a request by its id, or else the latest one of a certificate."""
    if request_id is not None and tables.domicile_request.get(request_id) is not None:
        return _request(tables, request_id)
    if serial is None:
        return None
    latest: tuple[int, bytes] | None = None
    for one, typed in tables.domicile_applicant.items():
        request = tables.domicile_request.get(one)
        if typed != serial or request is None:
            continue
        if latest is None or request.asked_at_ms > latest[0]:
            latest = (request.asked_at_ms, one)
    return None if latest is None else _request(tables, latest[1])


def _request(tables: Tables, request_id: bytes) -> KnownRequest | None:
    request = tables.domicile_request.get(request_id)
    if request is None:
        return None
    usable_from: date | None = day(request.usable_from)
    return KnownRequest(
        request_id=request_id,
        request_digest=request.request_digest,
        state=request.state,
        usable_from=usable_from,
        words=request.words or "",
    )
