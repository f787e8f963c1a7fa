"""Acts about the list of terminals at the control desk: what is done, and all that is refused."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from issuance_server.control import wire
from issuance_server.control.terminal_admission import (
    as_pem,
    checked_certificate,
    new_certificate,
    registration_subject,
    renewal_subject,
)
from issuance_server.core import records as r
from issuance_server.core.inputs import Registration, RenewedCertificate
from issuance_server.core.terminal_place import TerminalClass
from keys.authority import Authority
from protocol.errors import JournalFailed, KeyManagementError
from tests.adapters.city_file import TERMINALS
from tests.commands.scene import AUTHORITY, Scene, signed
from tests.core.made import CHAIN, OTHER_TERMINAL, START_REAL_MS, TERMINAL

START = datetime.fromtimestamp(START_REAL_MS / 1_000, UTC)
LINE = TERMINALS[0].line_id
HOUR_MS = 3_600_000


def certified(
    terminal: str = "FM-0009",
    line_id: bytes = b"line-nin",
    *,
    authority: Authority = AUTHORITY,
    begins: timedelta = timedelta(hours=-1),
    days: int = 825,
) -> bytes:
    """Return a terminal's key certificate in PEM form."""
    made = authority.issue_terminal(terminal, line_id, not_before=START + begins, days=days)
    return made.certificate_pem


def registering(pem: bytes, *, signed_store: str = "駅前", **changes: Any) -> wire.Act:
    """Return the signed act that registers a terminal."""
    asked = Registration(
        certificate=new_certificate(pem), chain=CHAIN, store=signed_store, in_city=True
    )
    brought = {"certificate": pem, "chain": CHAIN, "store": "駅前", "in_city": True}
    act = signed(act=wire.ACT_TERMINAL_REGISTER, subject=registration_subject(asked), nonce=_next())
    return wire.Act(signed=act.signed, brought=wire.NewTerminal(**(brought | changes)))


def renewing(pem: bytes, hours: int = 24, *, signed_hours: int | None = None) -> wire.Act:
    """Return the signed act that adds a certificate."""
    overlap_ms = (hours if signed_hours is None else signed_hours) * HOUR_MS
    asked = RenewedCertificate(certificate=new_certificate(pem), overlap_ms=overlap_ms)
    act = signed(act=wire.ACT_TERMINAL_RENEW, subject=renewal_subject(asked), nonce=_next())
    return wire.Act(signed=act.signed, brought=wire.NewKey(certificate=pem, overlap_hours=hours))


def revoking(terminal: str = TERMINAL) -> wire.Act:
    """Return the signed act that revokes a terminal."""
    return signed(act=wire.ACT_TERMINAL_REVOKE, subject=terminal, nonce=_next())


_nonces = iter(range(1_000))


def _next() -> bytes:
    return next(_nonces).to_bytes(16)


async def refused(scene: Scene, act: wire.Act, text: str) -> None:
    """The act is refused in these words, changes nothing, and is told in the log."""
    before, rows = scene.city.records(), scene.city.rows("SELECT * FROM terminal_certificate")
    with pytest.raises(KeyManagementError, match=text):
        await scene.ask(act)

    assert before == scene.city.records()
    assert rows == scene.city.rows("SELECT * FROM terminal_certificate")
    event, fields = scene.logged[-1]
    assert "control.act_refused" == event
    assert fields["reason"] in {"signature", "check"}


async def test_terminal_is_registered(scene: Scene) -> None:
    """Recorded with who and why, and listed with its place and the end of its certificate."""
    pem = certified()
    assert wire.Done() == await scene.ask(registering(pem))

    acted, registered, ended = scene.city.records()
    assert isinstance(acted, r.OperatorActed)
    assert ("mado-1", "terminal.register") == (acted.operator, acted.act)
    assert acted.subject.startswith("FM-0009 ")
    assert isinstance(registered, r.TerminalRegistered)
    assert new_certificate(pem).fingerprint == registered.fingerprint
    assert isinstance(ended, r.OperatorActEnded)
    answer = await scene.ask(wire.ListTerminals())
    assert isinstance(answer, wire.Terminals)
    row = answer.rows[-1]
    assert ("FM-0009", b"line-nin".hex(), "allowed", CHAIN, "駅前") == (
        row.terminal,
        row.line,
        row.state,
        row.chain,
        row.store,
    )
    assert new_certificate(pem).until_ms == row.certificates[0].until_ms
    assert ["control.act_done"] == [event for event, _ in scene.logged]
    assert ["recorded terminal.register"] == scene.course, "the judge was not asked"


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"chain": "ファミマ"}, "know no chain ファミマ .the chains are: 見本.; .*tables load"),
        ({"terminal_class": TerminalClass.CITY_HALL}, "register it with --class store"),
    ],
    ids=["chain", "class"],
)
async def test_terminal_is_of_a_chain_in_the_tables(
    scene: Scene, changes: dict[str, Any], text: str
) -> None:
    """Of another one it would issue nothing, so it is not registered at all."""
    pem = certified()
    place: dict[str, Any] = {"chain": CHAIN, "store": "駅前", "in_city": True} | changes
    asked = Registration(certificate=new_certificate(pem), **place)
    act = signed(act=wire.ACT_TERMINAL_REGISTER, subject=registration_subject(asked), nonce=_next())
    with pytest.raises(KeyManagementError, match=text):
        await scene.ask(
            wire.Act(signed=act.signed, brought=wire.NewTerminal(certificate=pem, **place))
        )

    assert [] == scene.city.records()


async def test_terminal_gets_a_new_key(scene: Scene) -> None:
    """The older certificate ends with the overlap."""
    assert wire.Done() == await scene.ask(renewing(certified(TERMINAL, LINE), 24))
    answer = await scene.ask(wire.ListTerminals())
    assert isinstance(answer, wire.Terminals)
    new, old = answer.rows[0].certificates

    assert START_REAL_MS + 24 * HOUR_MS == old.until_ms
    assert new.until_ms > old.until_ms
    assert "accepted" == new.state == old.state


async def test_terminal_is_revoked_for_ever(scene: Scene) -> None:
    """Neither a new key nor a registration brings it back; the way out is a new terminal."""
    assert wire.Done() == await scene.ask(revoking())
    assert isinstance(scene.city.records()[1], r.TerminalRevoked)

    await refused(scene, revoking(), f"terminal {TERMINAL} was revoked")
    await refused(scene, renewing(certified(TERMINAL, LINE)), "a new terminal with an id")
    await refused(scene, registering(certified(TERMINAL, b"other-ln")), "was revoked")
    unfreeze = signed(act=wire.ACT_TERMINAL_UNFREEZE, subject=TERMINAL, nonce=_next())
    await refused(scene, unfreeze, "was revoked")


@pytest.mark.parametrize(
    ("act", "text"),
    [
        (lambda: revoking("XX-0001"), "no terminal XX-0001 is registered; see: terminal list"),
        (lambda: renewing(certified("XX-0001", LINE)), "register it first: terminal register"),
        (lambda: renewing(certified(TERMINAL, b"other-ln")), "a new key keeps the line"),
        (lambda: registering(certified(TERMINAL, LINE)), "is added with: terminal renew"),
        (lambda: registering(certified(line_id=LINE)), f"belongs to terminal {TERMINAL}"),
        (
            lambda: registering(certified(authority=_stranger())),
            "not issued by this city's authority",
        ),
        (
            lambda: registering(certified(days=0, begins=timedelta(hours=-2))),
            "the certificate expired on 2027-01-15",
        ),
        (lambda: renewing(certified(TERMINAL, LINE, begins=timedelta(hours=2))), "is valid from"),
        (lambda: registering(certified(), signed_store="隣"), "for something else than what comes"),
        (lambda: registering(certified(), in_city=False), "for something else than what comes"),
        (lambda: registering(certified(), certificate=certified("FM-0010")), "sign it again"),
        (lambda: renewing(certified(TERMINAL, LINE), 48, signed_hours=0), "sign it again"),
        (lambda: registering(certified(), store="a\x1b[2J"), "without control characters"),
        (lambda: registering(certified(), certificate=b"none"), "damaged or not in PEM form"),
        (lambda: wire.Act(signed=registering(certified()).signed), "comes without"),
        (
            lambda: wire.Act(signed=revoking().signed, brought=renewing(certified()).brought),
            "comes without what belongs to it",
        ),
    ],
    ids=[
        *("unknown", "renew unknown", "other line", "known", "line taken", "other authority"),
        *("expired", "not yet", "other store", "other place", "other certificate", "other time"),
        *("control characters", "no certificate", "nothing brought", "something brought"),
    ],
)
async def test_bad_act_changes_nothing(scene: Scene, act: Any, text: str) -> None:
    """Refused before anything of it is recorded, with the way out."""
    await refused(scene, act(), text)


async def test_certificate_is_added_once(scene: Scene) -> None:
    """The same file again, under a new signature."""
    pem = certified(TERMINAL, LINE)
    await scene.ask(renewing(pem))

    await refused(scene, renewing(pem), "is registered already; see: terminal list")


async def test_certificate_of_a_server_is_none_of_a_terminal() -> None:
    """It names a city and no line."""
    made = AUTHORITY.issue_server("272035", not_before=START)
    with pytest.raises(KeyManagementError, match="key certificate of a server"):
        new_certificate(made.certificate_pem)


async def test_authority_itself_is_no_terminal() -> None:
    """Its certificate names nobody at the end of a line."""
    with pytest.raises(KeyManagementError):
        checked_certificate(AUTHORITY.certificate_pem, AUTHORITY.certificate_pem, START_REAL_MS)


async def test_act_that_cannot_be_recorded_changes_nothing(scene: Scene) -> None:
    """The list is as it was."""
    scene.journal_fails = True
    with pytest.raises(JournalFailed):
        await scene.ask(revoking(OTHER_TERMINAL))

    assert [] == scene.city.rows("SELECT * FROM terminal WHERE revoked_at_ms NOT NULL")


async def test_certificate_file_may_be_in_either_form() -> None:
    """PEM with something before it, or DER; anything else is refused in a sentence."""
    pem = certified()
    der = x509.load_pem_x509_certificate(pem).public_bytes(Encoding.DER)
    assert pem == as_pem(pem) == as_pem(der) == as_pem(b"\n" + pem)
    for wrong in (b"", b"text", pem[:100], der[:-1]):
        with pytest.raises(KeyManagementError, match="no certificate in PEM or DER form"):
            as_pem(wrong)


def _stranger() -> Authority:
    return Authority.generate("272035", not_before=START - timedelta(days=1))
