"""Requests by 本籍 as acts: found by one, agreed to by another, told to the applicant, erased."""

from typing import Any

import msgspec
import pytest

from issuance_server.adapters.sqlite.domicile_erasing import forget_applicants
from issuance_server.certificates.order import Record
from issuance_server.control import wire
from issuance_server.control.domicile_acts import match_subject, rejection_subject
from issuance_server.core import inputs as i
from issuance_server.core.domicile_desk import APPLICANT_KEPT_MS
from issuance_server.core.facts import NO_HOUSEHOLD_VERSION
from issuance_server.core.family_register import FamilyRegister
from issuance_server.core.pin_policy import VerdictOutcome
from issuance_server.core.switch import Needs
from keys.operators import Operator
from protocol import telegrams as t
from protocol.codes import ReplyCode
from protocol.domicile_telegrams import AskDomicile, DomicileState, DomicileTold, RegisterDomicile
from protocol.errors import KeyManagementError
from protocol.kinds import Kind
from tests.adapters.city_file import HOUSEHOLDS
from tests.commands.scene import OPERATOR, SECOND, Scene, signed
from tests.core.made import VISIT, authenticating, verdict

REQUEST = b"domicile-one----"
ID = REQUEST.hex()
SERIAL = "0a1b"
CANARY = "見本　遠方"
PERSON = HOUSEHOLDS[0].members[1].resident_id
_nonces = iter(range(1_000))


def act(
    name: str, subject: str = ID, brought: Any = None, operator: Operator = OPERATOR
) -> wire.Act:
    made = signed(operator, act=name, subject=subject, nonce=next(_nonces).to_bytes(16))
    return wire.Act(signed=made.signed, brought=brought)


def matching(resident_id: str = PERSON, **changes: Any) -> wire.Act:
    found = wire.FoundPerson(request=ID, resident_id=resident_id)
    return act(wire.ACT_DOMICILE_MATCH, match_subject(found), found, **changes)


def approving(operator: Operator = SECOND) -> wire.Act:
    return act(wire.ACT_DOMICILE_APPROVE, operator=operator)


def rejecting(words: str = "窓口にお越しください") -> wire.Act:
    told = wire.ToldWords(request=ID, words=words)
    return act(wire.ACT_DOMICILE_REJECT, rejection_subject(told), told)


async def shows_certificate(scene: Scene) -> None:
    """A visit proves to hold a good certificate."""
    await scene.city.ask(t.Begin(visit_id=VISIT, attempt=1))
    await scene.city.give(i.ChallengeDrawn(visit_id=VISIT, attempt=1, challenge=bytes(32)))
    await scene.city.ask(authenticating())
    right = verdict(VerdictOutcome.RIGHT, card_ref=None, certificate_serial=SERIAL, tries_left=None)
    await scene.city.give(i.VerdictGiven(visit_id=VISIT, attempt=1, verdict=right))


@pytest.fixture
async def asked(scene: Scene) -> Scene:
    """Somebody who lives elsewhere has asked."""
    scene.city.change("DELETE FROM resident WHERE resident_id = ?", PERSON)
    await shows_certificate(scene)
    told = await scene.city.ask(
        RegisterDomicile(
            visit_id=VISIT,
            request_id=REQUEST,
            domicile="見本一丁目",
            register_head="見本",
            name=CANARY,
            birth="平成2年3月4日",
        )
    )
    assert DomicileState.ACCEPTED is told.state
    return scene


async def stands(scene: Scene) -> DomicileTold:
    told = await scene.city.ask(AskDomicile(visit_id=VISIT))
    assert isinstance(told, DomicileTold)
    return told


async def refused(scene: Scene, request: wire.Act, text: str) -> None:
    """The act is refused in these words and changes nothing."""
    before, rows = scene.city.records(), scene.city.rows("SELECT * FROM domicile_request")
    with pytest.raises(KeyManagementError, match=text):
        await scene.ask(request)

    assert before == scene.city.records()
    assert rows == scene.city.rows("SELECT * FROM domicile_request")


async def test_one_finds_another_agrees_and_the_card_is_registered(asked: Scene) -> None:
    """The applicant hears each step at the machine; the record has nothing that was typed."""
    answer = await asked.ask(act(wire.ACT_DOMICILE_SHOW))
    assert isinstance(answer, wire.ShownApplicant)
    assert answer.applicant is not None
    assert (CANARY, SERIAL) == (answer.applicant.name, answer.applicant.certificate_serial)
    assert wire.Done() == await asked.ask(matching())
    assert DomicileState.CHECKING is (await stands(asked)).state
    await refused(asked, approving(OPERATOR), "another operator is to approve")
    assert wire.Done() == await asked.ask(approving())

    told = await stands(asked)
    assert (DomicileState.USABLE, "2026-12-07") == (told.state, told.usable_from)
    assert [("mynumber", PERSON, SERIAL, "2026-12-07")] == asked.city.rows(
        "SELECT kind, resident_id, certificate_serial, usable_from FROM card"
        " WHERE certificate_serial IS NOT NULL"
    )
    journal = b"".join(row[0] for row in asked.city.rows("SELECT record FROM journal"))
    assert all(word.encode() not in journal for word in (CANARY, SERIAL, "見本一丁目"))
    assert CANARY not in str(asked.logged) + str(asked.city.left)


async def test_who_is_registered_this_way_has_the_register_of_the_day(asked: Scene) -> None:
    """Facts and source are the register's; of a household here nothing is read."""
    await asked.ask(matching())
    await asked.ask(approving())
    async with asked.city.store.transaction() as transaction:
        needs = Needs(certificate_serial=SERIAL)
        facts = await transaction.facts(needs, asked.clock.real_ms)

    assert facts.holder is not None
    assert (True, NO_HOUSEHOLD_VERSION) == (facts.holder.by_domicile, facts.holder.register_version)
    shown = {Kind.KOSEKI_ZENBU, Kind.KOSEKI_KOJIN, Kind.FUHYO}
    assert shown == set(facts.holder.record_versions)
    for kind in shown:
        source = await asked.city.store.source_by_domicile(PERSON, kind)
        assert source is not None
        assert (PERSON,) == tuple(one.resident_id for one in source.household.members)
    assert await asked.city.store.source_by_domicile(PERSON, Kind.INKAN) is None
    asked.city.change(
        "INSERT INTO suppression (suppression_id, resident_id, reason, since_ms)"
        " VALUES ('s-1', ?, 'support', 0)",
        PERSON,
    )
    async with asked.city.store.transaction() as transaction:
        facts = await transaction.facts(needs, asked.clock.real_ms)
    assert facts.holder is not None
    assert facts.holder.suppressed


async def test_who_left_the_register_has_nothing(asked: Scene) -> None:
    """除籍: the record is still there, and not this person's any more."""
    await asked.ask(matching())
    await asked.ask(approving())
    rows = asked.city.rows(
        "SELECT DISTINCT record_id, record FROM register_record JOIN register_record_holder"
        " USING (record_id) WHERE resident_id = ?",
        PERSON,
    )
    for record_id, packed in rows:
        record: Any = msgspec.msgpack.decode(packed, type=Record)
        people = getattr(record, "people", ())
        if not people:
            continue
        gone = tuple(
            msgspec.structs.replace(one, removed=one.resident_id == PERSON) for one in people
        )
        changed = msgspec.msgpack.encode(msgspec.structs.replace(record, people=gone))
        asked.city.change(
            "UPDATE register_record SET record = ? WHERE record_id = ?", changed, record_id
        )
        assert isinstance(record, FamilyRegister) or record.people
    async with asked.city.store.transaction() as transaction:
        needs = Needs(certificate_serial=SERIAL)
        facts = await transaction.facts(needs, asked.clock.real_ms)

    assert facts.holder is None


async def test_a_rejection_is_told_in_the_counters_words(asked: Scene) -> None:
    """And another request may follow."""
    assert wire.Done() == await asked.ask(rejecting(f"{CANARY}様は窓口へ"))

    told = await stands(asked)
    assert (DomicileState.REJECTED, f"{CANARY}様は窓口へ") == (told.state, told.words)
    journal = b"".join(row[0] for row in asked.city.rows("SELECT record FROM journal"))
    assert CANARY.encode() not in journal
    await refused(asked, matching(), "rejected already")
    again = await asked.city.ask(
        RegisterDomicile(
            visit_id=VISIT,
            request_id=b"domicile-two----",
            domicile="見本二丁目",
            register_head="見本",
            name=CANARY,
            birth="平成2年3月4日",
        )
    )
    assert DomicileState.ACCEPTED is again.state


@pytest.mark.parametrize(
    ("request_", "text"),
    [
        (act(wire.ACT_DOMICILE_SHOW, "00" * 16), "domicile-request list"),
        (act(wire.ACT_DOMICILE_SHOW, "nothing"), "domicile-request list"),
        (approving(), "the request is accepted already"),
        (matching("10000010"), "check digit is wrong"),
        (act(wire.ACT_DOMICILE_MATCH), "without what belongs to it"),
        (act(wire.ACT_DOMICILE_REJECT), "without what belongs to it"),
    ],
)
async def test_a_mistake_names_the_way_out(asked: Scene, request_: wire.Act, text: str) -> None:
    """And nothing of it is on record."""
    await refused(asked, request_, text)


async def test_a_person_without_a_register_here_is_not_matched(asked: Scene) -> None:
    """The number is right, and no 戸籍 of this city has it."""
    asked.city.change("DELETE FROM register_record_holder WHERE resident_id = ?", PERSON)

    await refused(asked, matching(), "no family register of this city")


async def test_a_card_that_was_registered_meanwhile_is_not_registered_twice(asked: Scene) -> None:
    """Staff may have registered it at the counter."""
    await asked.ask(matching())
    asked.city.change(
        "INSERT INTO card (card_ref, kind, resident_id, certificate_serial, registered_at_ms)"
        " VALUES ('card-x', 'mynumber', ?, ?, 0)",
        PERSON,
        SERIAL,
    )

    await refused(asked, approving(), "registered meanwhile")


async def test_what_was_typed_is_erased_a_while_after_the_decision(asked: Scene) -> None:
    """Not before it; what stays says that there was a request, and how it ended."""
    store = asked.city.store
    assert 0 == await forget_applicants(store, asked.clock.real_ms + APPLICANT_KEPT_MS)
    await asked.ask(rejecting())
    decided_ms = asked.city.rows("SELECT decided_at_ms FROM domicile_request")[0][0]
    assert 0 == await forget_applicants(store, decided_ms)
    assert 1 == await forget_applicants(store, decided_ms + 1)

    assert [] == asked.city.rows("SELECT * FROM domicile_applicant")
    assert [("rejected", None)] == asked.city.rows("SELECT state, words FROM domicile_request")
    answer = await asked.ask(act(wire.ACT_DOMICILE_SHOW))
    assert isinstance(answer, wire.ShownApplicant)
    assert answer.applicant is None
    asking = await asked.city.ask(AskDomicile(visit_id=VISIT))
    assert ReplyCode.CARD_NOT_REGISTERED_HERE is asking.code


async def test_the_list_has_nothing_of_what_was_typed(asked: Scene) -> None:
    """Everybody on the machine may read it."""
    answer = await asked.ask(wire.ListDomiciles(undecided=True))
    assert isinstance(answer, wire.Domiciles)
    assert [(ID, "accepted")] == [(row.request, row.state) for row in answer.rows]
    assert CANARY not in str(answer)
    await asked.ask(rejecting())
    answer = await asked.ask(wire.ListDomiciles(undecided=True))
    assert isinstance(answer, wire.Domiciles)
    assert () == answer.rows
