"""The whole machine against a city in memory: real files, real handshakes, real documents."""

from datetime import UTC, datetime

import pytest

from keys.jpki import JpkiAuthority
from keys.mynumber_card import MyNumberCard
from protocol.codes import ReplyCode
from protocol.issuance import IssuanceState
from protocol.kinds import Options, Scope
from protocol.secret import Secret
from protocol.telegrams import Refused
from protocol.terminal_statements import FailureCause
from terminal_sim.core import records as r
from terminal_sim.core.records import AnyRecord, Mismatch
from terminal_sim.core.requests import Step
from terminal_sim.core.state import Money
from terminal_sim.result import Exit, closing_words, exit_of, exit_of_visit, result_object
from tests.terminal_sim.city import FEE_YEN, bent
from tests.terminal_sim.conftest import Town
from tests.terminal_sim.paper_city import (
    BODY_CANARY,
    CONTENT_KEY,
    NAME_CANARY,
    PIN,
    document,
)
from tests.terminal_sim.visits import hoppers, only, person, run, storage_files

S = IssuanceState


async def test_a_visit_lays_the_exact_document(town: Town) -> None:
    """The paper is, byte for byte, what the city signed, and the deletion is confirmed."""
    wire, visitor = town.wire(), person(PIN)
    ended = await run(town, wire, visitor)

    issuance = only(ended)
    paper = town.tray / f"{issuance.issuance_id.hex()}.pdf"
    assert wire.city.pdf == paper.read_bytes()
    assert [paper] == list(town.tray.iterdir())
    assert (S.COMPLETED, True) == (issuance.state, ended.counters_agree)
    assert Exit.DONE is exit_of(issuance, visitor.refusal)
    assert {} == ended.counts


async def test_the_result_says_all_that_a_program_needs(town: Town) -> None:
    """The object names the visit, the money, the paper and how long each stretch took."""
    visitor = person(PIN)
    ended = await run(town, town.wire(), visitor)

    issuance = only(ended)
    paper = town.tray / f"{issuance.issuance_id.hex()}.pdf"
    result = result_object(
        ended.state, visitor, refused=None, paper_of=lambda _: paper, counters_agree=True
    )
    durations = result.pop("durations_ms")
    (alone,) = result.pop("issuances")
    assert alone.items() <= result.items()
    assert {
        "terminal": "7-0001",
        "visit": issuance.applied.visit_id.hex(),
        "issuance": issuance.issuance_id.hex(),
        "kind": "juminhyo",
        "sheets": 2,
        "fee_yen": FEE_YEN,
        "state": "completed",
        "money": "earned",
        "sheets_out": 2,
        "sheets_unknown": False,
        "failure": None,
        "mismatch": None,
        "deletion_confirmed": True,
        "paper": str(paper),
        "refusal": None,
        "counters_agree": True,
    } == result
    reached = "opened authenticated quoted fetched paid released printed settled total"
    assert reached.split() == list(durations)
    assert durations["total"] == sum(ms for name, ms in durations.items() if name != "total")


async def test_nothing_of_person_pin_key_or_body_stays_on_the_disk(town: Town) -> None:
    """Canaries of every secret are found nowhere in the storage, at any record."""
    secrets_ = [
        PIN.encode(),
        NAME_CANARY.encode(),
        BODY_CANARY.encode(),
        CONTENT_KEY.reveal(),
        CONTENT_KEY.reveal().hex().encode(),
        b"CANARY-CARD-NUM!",
        b"CANARY-CARD-NUM!".hex().encode(),
    ]
    spooled: list[bytes] = []
    looked_at: list[AnyRecord] = []

    def look(record: AnyRecord) -> None:
        looked_at.append(record)
        for path in storage_files(town):
            content = path.read_bytes()
            assert [] == [secret for secret in secrets_ if secret in content], path
            if path.suffix == ".sealed":
                spooled.append(content)

    await run(town, town.wire(), person(PIN), on_record=look)

    assert spooled
    assert document(2) not in spooled
    assert [] == [path for path in storage_files(town) if path.suffix == ".sealed"]
    assert 10 < len(looked_at)


async def test_the_pin_reaches_the_judge_and_a_wrong_one_may_be_repeated(town: Town) -> None:
    """Each attempt is sealed anew and opened only by the PIN judge's key."""
    wire, said = town.wire(), []
    ended = await run(town, wire, person("0000", PIN, said=said))

    assert ["0000", PIN] == wire.city.pins
    assert S.COMPLETED is only(ended).state
    assert any("あと2回" in line for line in said)


async def test_a_refused_visit_tells_why(town: Town) -> None:
    """Without another PIN the visit ends refused, with the tries left."""
    visitor = person("0000")
    ended = await run(town, town.wire(), visitor)

    assert Refused(code=ReplyCode.PIN_WRONG, tries_left=2) == visitor.refusal
    assert Exit.REFUSED is exit_of(None, visitor.refusal)
    result = result_object(
        ended.state, visitor, refused=None, paper_of=town.tray.joinpath, counters_agree=None
    )
    assert {
        "code": 2002,
        "name": "PIN_WRONG",
        "sentence": "暗証番号が違います。",
        "tries_left": 2,
    } == result["refusal"]


async def test_a_card_that_judges_its_pin_is_refused_as_any_other(town: Town) -> None:
    """The card's last no ends the visit: wrong with the tries left, and at the third one locked."""
    now = datetime.now(UTC)
    authority = JpkiAuthority.create(town.folder / "jpki", now)
    card = MyNumberCard.create(
        town.folder / "mynumber.card.json",
        holder="見本",
        pin=Secret(b"493817260584"),
        certify=lambda key: authority.issue(key, now=now),
    )
    wire, said = town.wire(), []
    visitors = [person("0000", "1111", said=said), person("2222")]
    ended = await run(town, wire, visitors[0], card=card)
    await run(town, town.wire(), visitors[1], card=card)

    assert [
        Refused(code=ReplyCode.PIN_WRONG, tries_left=1),
        Refused(code=ReplyCode.CARD_LOCKED, tries_left=0),
    ] == [visitor.refusal for visitor in visitors]
    assert Exit.REFUSED is exit_of_visit(ended.state, visitors[0], None)
    assert any("あと2回" in line for line in said)
    assert [] == wire.city.pins


async def test_an_expired_challenge_takes_the_same_pin_again(town: Town) -> None:
    """The person types once; the clock is not their fault."""
    wire = town.wire()
    wire.city.city.refusals[Step.AUTHENTICATE] = [Refused(code=ReplyCode.CHALLENGE_EXPIRED)]
    ended = await run(town, wire, person(PIN))

    assert [PIN, PIN] == wire.city.pins
    assert S.COMPLETED is only(ended).state


@pytest.mark.parametrize(
    ("insert_yen", "money", "words"),
    [
        (10, Money.RETURNED, "中止しました。お預かりした手数料はお返ししました"),
        (0, Money.NONE, "中止しました (not issued)"),
    ],
)
async def test_too_little_money_comes_back(
    town: Town, insert_yen: int, money: Money, words: str
) -> None:
    """Withdrawn, exit 5, the coin box gave back what was put in, and nothing else is claimed."""
    said: list[str] = []
    visitor = person(PIN, insert_yen=insert_yen, said=said)
    ended = await run(town, town.wire(), visitor)

    assert (S.WITHDRAWN, money) == (only(ended).state, only(ended).money)
    assert Exit.FAILED is exit_of(only(ended), visitor.refusal)
    assert [(0, 0, insert_yen)] == hoppers(town)
    assert closing_words(Exit.FAILED, ended.state, visitor).startswith(words)
    assert bool(insert_yen) is any("円をお返しします" in line for line in said)


@pytest.mark.parametrize(
    ("odd", "mismatch"),
    [
        ("another application", Mismatch.REQUEST),
        ("other options", Mismatch.OPTIONS),
        ("another document in the seal", Mismatch.FILE),
        ("a page more", Mismatch.SHEETS),
        ("no document in the seal", Mismatch.DOCUMENT),
        ("another key", Mismatch.SEAL),
    ],
)
async def test_a_mismatch_lays_no_paper(town: Town, odd: str, mismatch: Mismatch) -> None:
    """What came is not what was asked for and signed: no tray is even made."""
    wire = town.wire()
    match odd:
        case "another application":
            wire.city.city.bend = bent(request_digest=bytes(32))
        case "other options":
            wire.city.city.bend = bent(options=Options(scope=Scope.SELF))
        case "another document in the seal":
            wire.city.inside = document(2) + b"\n"
        case "a page more":
            wire.city.pdf = document(3)
        case "no document in the seal":
            wire.city.inside = b"no document"
        case "another key":
            wire.city.key = Secret(bytes(32))
    ended = await run(town, wire, person(PIN))

    failure = only(ended).failure
    assert failure is not None
    assert mismatch is failure.mismatch
    assert not town.tray.exists()
    assert [(0, 0, FEE_YEN)] == hoppers(town)


async def test_a_spool_that_vanished_prints_nothing(town: Town) -> None:
    """A lost ciphertext is the machine's fault: money back, and no alarm of a mismatch."""

    def lose(record: AnyRecord) -> None:
        if isinstance(record, r.ReleaseAsked):
            for path in town.config.storage.glob("spool/*"):
                path.unlink()

    ended = await run(town, town.wire(), person(PIN), on_record=lose)

    failure = only(ended).failure
    assert failure is not None
    assert (FailureCause.PRINTER, None) == (failure.cause, failure.mismatch)
    assert [(0, 0, FEE_YEN)] == hoppers(town)


async def test_a_disk_that_takes_no_ciphertext_withdraws(town: Town) -> None:
    """No money is taken for what cannot be held."""

    def block(record: AnyRecord) -> None:
        if isinstance(record, r.Quoted):
            town.config.storage.joinpath("spool").rmdir()

    ended = await run(town, town.wire(), person(PIN), on_record=block)

    assert S.WITHDRAWN is only(ended).state
    assert [] == hoppers(town)


async def test_a_tray_that_cannot_be_used_returns_the_money(town: Town) -> None:
    """The printer says so before a sheet has started, so nothing is unknown."""
    town.tray.write_text("a file where the tray should be")
    ended = await run(town, town.wire(), person(PIN))

    failure = only(ended).failure
    assert failure is not None
    assert (0, False) == (failure.sheets_out, failure.sheets_unknown)
    assert Exit.FAILED is exit_of(only(ended), None)
