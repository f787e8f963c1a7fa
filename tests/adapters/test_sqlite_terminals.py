"""The tables of terminals and their key certificates, as acts of operators change them."""

import pytest

from issuance_server.adapters.sqlite.queries import Queries
from issuance_server.core import inputs as i
from issuance_server.core.pin_policy import JudgeEvent, JudgeEventName
from tests.adapters.city_file import TERMINALS, CityFile
from tests.core.made import CARD_REF, OTHER_TERMINAL, START_REAL_MS, TERMINAL

HOUR_MS = 3_600_000
LINE = TERMINALS[0].line_id
FIRST = TERMINALS[0].fingerprint
UNTIL_MS = START_REAL_MS + 10_000 * HOUR_MS


def certificate(number: int, terminal: str = TERMINAL, line_id: bytes = LINE) -> i.NewCertificate:
    """Return a further key certificate."""
    return i.NewCertificate(
        terminal=terminal,
        line_id=line_id,
        fingerprint=bytes([number]) * 32,
        report_public_key=bytes([number]) * 32,
        until_ms=UNTIL_MS,
    )


async def do(city: CityFile, change: i.Change) -> None:
    """Have an act done."""
    await city.give(
        i.ActAccepted(
            operator="mado-1",
            act="terminal.change",
            subject="terminal",
            reason="planned",
            nonce=bytes([len(city.records())]) * 16,
            change=change,
        )
    )


async def fingerprints(city: CityFile, now_ms: int) -> list[frozenset[bytes]]:
    """Return what is accepted of the first terminal, as a list of none or one."""
    listed = await city.store.terminals(now_ms)
    return [one.fingerprints for one in listed if one.terminal == TERMINAL]


async def test_registered_terminal_is_on_the_list(city: CityFile) -> None:
    """With its line, its certificate and the key that checks its reports."""
    new = certificate(9, "FM-0009", b"line-nin")
    await do(city, i.Registration(certificate=new, chain="ファミマ", store="駅前", in_city=False))
    entry = (await city.store.terminals(START_REAL_MS))[-1]

    assert ("FM-0009", b"line-nin") == (entry.terminal, entry.line_id)
    assert {new.fingerprint} == entry.fingerprints
    assert (new.report_public_key,) == entry.report_keys
    row = (await Queries(city.path).terminals(START_REAL_MS))[-1]
    assert ("FM-0009", "allowed", "ファミマ", "駅前", False) == (
        row.terminal,
        row.state,
        row.chain,
        row.store,
        row.in_city,
    )


async def test_both_certificates_are_accepted_until_the_overlap_ends(city: CityFile) -> None:
    """Then the new one alone; the old one's reports are still checked."""
    await do(city, i.RenewedCertificate(certificate=certificate(7), overlap_ms=HOUR_MS))
    end_ms = START_REAL_MS + HOUR_MS
    new = bytes([7]) * 32

    assert [{FIRST, new}] == await fingerprints(city, end_ms - 1)
    assert [{new}] == await fingerprints(city, end_ms)
    entry = (await city.store.terminals(end_ms))[0]
    assert {new, TERMINALS[0].report_key} == set(entry.report_keys)


async def test_overlap_never_prolongs(city: CityFile) -> None:
    """A second renewal with a longer overlap leaves the first one's end as it was."""
    await do(city, i.RenewedCertificate(certificate=certificate(7), overlap_ms=HOUR_MS))
    await do(city, i.RenewedCertificate(certificate=certificate(8), overlap_ms=9 * HOUR_MS))
    seven, eight = bytes([7]) * 32, bytes([8]) * 32

    assert [{FIRST, seven, eight}] == await fingerprints(city, START_REAL_MS)
    assert [{seven, eight}] == await fingerprints(city, START_REAL_MS + HOUR_MS)
    assert [{eight}] == await fingerprints(city, START_REAL_MS + 9 * HOUR_MS)


async def test_expired_certificate_is_accepted_no_more(city: CityFile) -> None:
    """The terminal stays on the list, and is shown as expired."""
    assert [frozenset()] == await fingerprints(city, TERMINALS[0].until_ms)

    rows = await Queries(city.path).terminals(TERMINALS[0].until_ms)
    assert [("expired", "over")] * 2 == [(r.state, r.certificates[0].state) for r in rows]


async def test_revoked_terminal_is_gone_with_all_its_certificates(city: CityFile) -> None:
    """Nothing of it is accepted, also no report; the other terminal is untouched."""
    await do(city, i.RenewedCertificate(certificate=certificate(7), overlap_ms=HOUR_MS))
    await do(city, i.Revocation(terminal=TERMINAL))

    assert [OTHER_TERMINAL] == [one.terminal for one in await city.store.terminals(START_REAL_MS)]
    assert {TERMINAL} == await city.store.stopped_terminals()
    first, second = await Queries(city.path).terminals(START_REAL_MS)
    assert ("revoked", START_REAL_MS) == (first.state, first.revoked_at_ms)
    assert ["revoked", "revoked"] == [one.state for one in first.certificates]
    assert ("allowed", None) == (second.state, second.revoked_at_ms)


async def test_newest_certificate_is_listed_first(city: CityFile) -> None:
    """As an operator looks for it."""
    city.clock.pass_ms(5)
    await do(city, i.RenewedCertificate(certificate=certificate(7), overlap_ms=HOUR_MS))
    row = (await Queries(city.path).terminals(START_REAL_MS))[0]

    assert [("07" * 32, START_REAL_MS + 5, UNTIL_MS), ("01" * 32, START_REAL_MS)] == [
        (row.certificates[0].fingerprint, row.certificates[0].since_ms, UNTIL_MS),
        (row.certificates[1].fingerprint, row.certificates[1].since_ms),
    ]
    assert START_REAL_MS + 5 + HOUR_MS == row.certificates[1].until_ms


@pytest.mark.parametrize("stopped", [False, True])
async def test_stopped_terminal_is_shown_as_such(city: CityFile, stopped: bool) -> None:
    """An integrity alarm stopped it; its line may open."""
    if stopped:
        city.change("UPDATE terminal SET stopped_at_ms = 1 WHERE terminal = ?", TERMINAL)

    row = (await Queries(city.path).terminals(START_REAL_MS))[0]
    assert ("stopped" if stopped else "allowed") == row.state


async def test_last_word_of_the_judge_outlives_a_restart(city: CityFile) -> None:
    """So that what it says again is known."""
    event = JudgeEvent(
        number=7, name=JudgeEventName.CARD_LOCKED, at_ms=START_REAL_MS, card_ref=CARD_REF
    )
    await city.give(i.JudgeSaid(events=(event,)))

    assert (7, START_REAL_MS) == await city.store.last_judge_report()
