"""The performer: what comes of effects when the judge, the renderer or a key is not there."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest

from issuance_server.certificates.gate import DEEP_LOOK_BYTES
from issuance_server.certificates.order import CertificateOrder, CertificateRefused, Rendered
from issuance_server.core import effects as e
from issuance_server.core.inputs import ActAccepted
from issuance_server.core.register import Household
from issuance_server.runtime import performer as performer_module
from issuance_server.runtime.performer import Performer
from protocol import sealed_certificate
from protocol import telegrams as t
from protocol.errors import AdapterError, JournalFailed, KeyManagementError, Misuse
from protocol.issuance import IssuanceState
from protocol.kinds import MEMBERS_MAX, Kind, Options, Scope
from tests.adapters.city_file import HOLDER_ID, HOUSEHOLDS
from tests.core.made import opening
from tests.runtime.doubles import Bench
from tests.runtime.visits import (
    ISSUANCE,
    VISIT,
    applying,
    authenticate,
    authenticating,
    release,
    to_sealed,
)


async def test_judge_out_of_reach_is_asked_again(bench: Bench) -> None:
    """No challenge is told; no verdict is not: the terminal's repeat is judged when it can be."""
    async with bench.running():
        await bench.open_line()
        bench.judge.reachable = False
        assert "JUDGE_UNAVAILABLE" == await bench.refused(t.Begin(visit_id=VISIT, attempt=1))
        bench.judge.reachable = True
        await bench.ask(t.Begin(visit_id=VISIT, attempt=1), t.ChallengeGiven)
        bench.judge.reachable = False
        bench.tell(authenticating())
        await bench.until(lambda: bench.log.of("visit.refused"))
        assert {} == bench.runtime.lines._attempts
        bench.judge.reachable = True

        await bench.ask(authenticating(), t.Menu)


async def test_attempt_that_is_not_kept_any_more_is_not_judged(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The shell gave it up: the judge is not asked before the terminal repeats it."""
    async with bench.running():
        await bench.open_line()
        await bench.ask(t.Begin(visit_id=VISIT, attempt=1), t.ChallengeGiven)
        with monkeypatch.context() as forgetful:
            forgetful.setattr(bench.runtime.lines, "take_attempt", lambda _ref: None)
            bench.tell(authenticating())
            await bench.until(lambda: bench.log.of("visit.refused"))
        assert [] == bench.judge.asked

        await bench.ask(authenticating(), t.Menu)


@pytest.mark.parametrize(
    ("fails", "code", "reason"),
    [
        (CertificateRefused("missing-glyph"), "CANNOT_BE_PRINTED", "missing-glyph"),
        (AdapterError("gone"), "RENDERING_FAILED", "renderer-out-of-reach"),
        (KeyManagementError("disk"), "RENDERING_FAILED", "renderer-out-of-reach"),
    ],
)
async def test_certificate_that_cannot_be_made_is_told(
    bench: Bench, fails: Exception, code: str, reason: str
) -> None:
    """The resident hears whether it lies in the record; no body and no key stays."""
    bench.renderer.fails = fails
    async with bench.running():
        await authenticate(bench)
        assert code == await bench.refused(applying())
        assert [reason] == [line["reason"] for line in bench.log.of("issuance.withdrawn")]

        assert {} == bench.runtime._performer._bodies
        assert set() == await bench.store.key_days()


async def test_document_that_does_not_fit_is_not_sealed(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its length would tell more than its sheets."""
    monkeypatch.setattr(sealed_certificate, "SEALED_BASE_BYTES", 0)
    monkeypatch.setattr(sealed_certificate, "SEALED_SHEET_BYTES", 1_000)
    async with bench.running():
        await authenticate(bench)

        assert "CANNOT_BE_PRINTED" == await bench.refused(applying())


@pytest.mark.parametrize(
    ("spoil", "fault"),
    [
        ({"pdf": b"%PDF-1.7 of nothing"}, "unreadable"),
        ({"sheets": 2}, "sheets-miscounted"),
        ({"sheet_digests": (bytes(32),)}, "sheets-differ"),
    ],
)
async def test_document_that_was_not_ordered_is_not_sealed(
    bench: Bench, spoil: dict[str, Any], fault: str
) -> None:
    """The city's own gate raises an alarm; the resident pays nothing, and nobody gets anything."""
    bench.renderer.spoil = spoil
    async with bench.running():
        await authenticate(bench)
        assert "ISSUING_STOPPED" == await bench.refused(applying())
        assert "ISSUING_STOPPED" == await bench.refused(t.Begin(visit_id=b"v" * 16, attempt=1))

        assert [fault] == [line["reason"] for line in bench.log.of("integrity.alarm")]
        assert {} == bench.runtime._performer._bodies


async def test_who_else_reads_a_document_is_drawn_when_it_is_made(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worker has given it back already, and what the terminal chose plays no part."""
    drawn: list[tuple[bytes, int]] = []
    given: list[bool] = []

    def looks_deep(of: bytes) -> bool:
        drawn.append((of, len(bench.renderer.made)))
        return True

    def gate(_order: CertificateOrder, _rendered: Rendered, *, deep: bool) -> str | None:
        given.append(deep)
        return None

    monkeypatch.setattr(performer_module, "looks_deep", looks_deep)
    bench.gate = gate
    async with bench.running():
        await to_sealed(bench)

    assert [True] == given
    assert [(DEEP_LOOK_BYTES, 1)] == [(len(of), made) for of, made in drawn]


async def test_bug_in_a_rendering_ends_the_server(bench: Bench) -> None:
    """What nobody foresaw is not swallowed: the server stops, and the journal knows the rest."""
    bench.renderer.fails = ValueError("a bug")
    async with bench.running():
        await authenticate(bench)
        bench.tell(applying())
        await asyncio.wait({bench.task})
        with pytest.raises(ExceptionGroup) as failed:
            bench.task.result()
        assert failed.group_contains(ValueError, match="a bug")


async def test_act_that_cannot_be_recorded_ends_the_server(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The journal is not writable: the command is refused, and nothing more is sent."""
    act = ActAccepted(
        operator="mado-1", act="card.unlock", subject="card-1", reason="came", nonce=bytes(16)
    )
    async with bench.running():
        await bench.open_line()
        monkeypatch.setattr(bench.store, "transaction", _unwritable)
        with pytest.raises(JournalFailed):
            await bench.runtime.record_act(act)
        await asyncio.wait({bench.task})
        with pytest.raises(JournalFailed):
            bench.task.result()


@asynccontextmanager
async def _unwritable(_attached: object = None) -> AsyncIterator[None]:
    for _ in ("the disk",):
        raise JournalFailed("full")
    yield


async def test_menu_of_a_register_that_moved_is_not_shown(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the verdict and the answer the household changed: its numbers may be others."""

    async def moved(_resident_id: str) -> tuple[Household, int]:
        return HOUSEHOLDS[0], 99

    async with bench.running():
        await bench.open_line()
        await bench.ask(t.Begin(visit_id=VISIT, attempt=1), t.ChallengeGiven)
        monkeypatch.setattr(bench.store, "household_of", moved)

        assert "DATA_CHANGED" == await bench.refused(authenticating())


async def test_renderer_that_hangs_is_given_up(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After its time, whatever it may still come up with."""
    monkeypatch.setattr(performer_module, "RENDER_MS_MAX", 10)

    async def hang(_order: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(bench.renderer, "render", hang)
    async with bench.running():
        await authenticate(bench)

        assert "RENDERING_FAILED" == await bench.refused(applying())


async def test_holder_who_left_meanwhile_has_no_certificate(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The register's household is read anew for the rendering."""
    async with bench.running():
        await authenticate(bench)
        monkeypatch.setattr(bench.store, "source_of", _nobody)

        assert "RENDERING_FAILED" == await bench.refused(applying())


async def _nobody(_resident_id: str, _kind: Kind) -> None:
    return None


async def test_order_is_what_was_applied_for(bench: Bench) -> None:
    """Holder, household, options, numbers and the business day."""
    options = Options(scope=Scope.HOUSEHOLD)
    async with bench.running():
        await authenticate(bench)
        await bench.ask(applying(options=options, copies=2), t.Quotation)

    (order,) = bench.renderer.orders
    assert (Kind.JUMINHYO, options, HOLDER_ID, HOUSEHOLDS[0]) == (
        order.kind,
        order.options,
        order.holder_id,
        order.household,
    )
    assert 2 == len(order.numbers)
    assert "2026-11-30" == order.issued_on.isoformat()
    assert ISSUANCE == order.issuance_id


async def test_missing_day_key_is_an_alarm(bench: Bench) -> None:
    """Released, and the key cannot be unwrapped: nobody prints, and somebody is told."""
    async with bench.running():
        await to_sealed(bench)
        for day in bench.day_keys.days():
            bench.day_keys.destroy(day)
        asked = t.Release(issuance_id=ISSUANCE, amount_yen=200)
        assert "SERVER_FAULT" == await bench.refused(asked)

        assert ["day-key-missing"] == [x["reason"] for x in bench.log.of("integrity.alarm")]


async def test_release_that_was_overtaken_has_ended(bench: Bench) -> None:
    """Between the commit and the answer the issuance went on: no key leaves."""
    async with bench.running():
        await release(bench, await to_sealed(bench))
        issuance = bench.runtime.state.issuances.pop(ISSUANCE)
        assert IssuanceState.RELEASED is issuance.state
        ref = t.RequestRef(generation=1, counter=1, digest=bytes(32))
        effect = e.ReplyReleased(terminal=issuance.terminal, ref=ref, issuance_id=ISSUANCE)
        bench.runtime._performer.perform(effect)
        (event,) = await bench._receive(bench.far)

        assert "ENDED" == event.telegram.code.name  # type: ignore[union-attr]  # a refusal


async def test_menu_names_as_many_members_as_one_can_choose(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A larger household's menu still fits its telegram."""
    member = HOUSEHOLDS[0].members[0]
    crowd = tuple(
        msgspec.structs.replace(member, resident_id=str(number))
        for number in range(MEMBERS_MAX + 5)
    )
    household = Household(household_id="1", address="見本", head_id="0", members=crowd)

    async def large(_resident_id: str) -> tuple[Household, int]:
        return household, 1  # the version that the verdict's transaction read

    async with bench.running():
        monkeypatch.setattr(bench.store, "household_of", large)
        menu = await authenticate(bench)

    assert MEMBERS_MAX == len(menu.members)


async def test_what_belongs_into_the_transaction_is_misuse(bench: Bench) -> None:
    """And so is a performer that nobody connected."""
    async with bench.running():
        await bench.open_line()
        await bench.ask(opening(), t.Opened)
        performer = bench.runtime._performer
        kept = e.KeepKey(issuance_id=ISSUANCE, key_day="2026-11-30", wrapped_key=b"")
        with pytest.raises(Misuse, match="into the transaction"):
            performer.perform(kept)
        alone = Performer(
            state=bench.runtime.state,
            store=bench.store,
            hand=performer._hand,
            world=bench.runtime._parts.world,
            witnessed=bench.runtime._signer.answer,
        )
        with pytest.raises(Misuse, match="not connected"):
            alone.perform(e.EraseBody(issuance_id=ISSUANCE))
        with pytest.raises(Misuse, match="not connected"):
            await alone._give(None)  # type: ignore[arg-type]  # never looked at


async def test_rendering_of_an_ended_issuance_is_not_begun(bench: Bench) -> None:
    """It was withdrawn between the commit and the start of the work."""
    async with bench.running():
        await bench.runtime._performer._render(ISSUANCE)

        assert [] == bench.renderer.orders
