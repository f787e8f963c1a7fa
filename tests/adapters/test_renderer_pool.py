"""Rendering in worker processes: certificates, refusals, and a worker that was killed."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from datetime import date
from typing import Any

import msgspec
import pytest

from issuance_server.adapters.child_process import Child
from issuance_server.adapters.renderer import __main__ as worker
from issuance_server.adapters.renderer import wire
from issuance_server.adapters.renderer.pool import RendererPool
from issuance_server.certificates.order import CertificateOrder, CertificateRefused
from issuance_server.certificates.render import CertificateRenderer
from issuance_server.sample.city import ISSUER
from issuance_server.sample.residents import sample_households
from protocol.errors import AdapterError
from protocol.kinds import Kind, Options
from protocol.page_digest import page_digests

WAIT_S = 20
HOUSEHOLD = sample_households()[1]


def order(**changes: Any) -> CertificateOrder:
    """Return an order for the fictitious resident who lives alone."""
    usual: dict[str, Any] = {
        "issuance_id": bytes(16),
        "kind": Kind.JUMINHYO,
        "options": Options(),
        "holder_id": HOUSEHOLD.head_id,
        "household": HOUSEHOLD,
        "numbers": ("20261130 豊中市 7E-0001 001 000001",),
        "issued_on": date(2026, 11, 30),
        "issuer": ISSUER,
    }
    return CertificateOrder(**(usual | changes))


UNPRINTABLE = order(
    household=msgspec.structs.replace(
        HOUSEHOLD, members=(msgspec.structs.replace(HOUSEHOLD.members[0], name="\U000f0000"),)
    )
)


@pytest.fixture
def restarts() -> asyncio.Queue[int]:
    return asyncio.Queue()


@pytest.fixture
async def pool(restarts: asyncio.Queue[int]) -> AsyncIterator[RendererPool]:
    """A pool of one worker: the next order goes to the same."""
    made = RendererPool(workers=1, on_restart=restarts.put_nowait)
    await made.start()
    yield made
    await made.stop()


@pytest.mark.processes
async def test_worker_renders_refuses_and_comes_back(
    pool: RendererPool, restarts: asyncio.Queue[int]
) -> None:
    """What it makes is the certificate; what cannot be printed is refused; a kill is survived."""
    rendered = await pool.render(order())
    assert rendered.pdf.startswith(b"%PDF-")
    assert rendered.sheet_digests == page_digests(rendered.pdf)
    assert (1, 1) == (rendered.sheets, rendered.sheets_per_copy)
    with pytest.raises(CertificateRefused) as refused:
        await pool.render(UNPRINTABLE)
    assert "missing-glyph" == refused.value.reason

    os.kill(_process_of(pool), signal.SIGKILL)
    with pytest.raises(AdapterError):
        await pool.render(order())
    assert -signal.SIGKILL == await asyncio.wait_for(restarts.get(), WAIT_S)
    assert rendered == await pool.render(order())


def _process_of(pool: RendererPool) -> int:
    (child,) = pool._children
    assert child._process is not None
    return child._process.pid


async def test_orders_go_to_the_workers_in_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each to one worker, and an answer that is none is told as that."""
    asked: list[Child] = []

    async def ask(child: Child, request: bytes, timeout_ms: int) -> bytes:
        asked.append(child)
        refusal = wire.NotMade(reason="text-too-long", item="世帯員1 氏名")
        return wire.encode(refusal) if len(asked) < 4 else b"\xc1"

    monkeypatch.setattr(Child, "ask", ask)
    pool = RendererPool(workers=3)
    for _ in range(3):
        with pytest.raises(CertificateRefused) as refused:
            await pool.render(order())
        assert "世帯員1 氏名" == refused.value.item
    with pytest.raises(AdapterError, match="answer that is none"):
        await pool.render(order())

    assert 3 == len(set(map(id, asked)))
    assert asked[0] is asked[3]


async def test_workers_end_at_the_same_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that takes long to end does not add its time to that of the others."""
    all_ending = asyncio.Barrier(3)

    async def stop(child: Child) -> None:
        await all_ending.wait()

    monkeypatch.setattr(Child, "stop", stop)
    async with asyncio.timeout(WAIT_S):
        await RendererPool(workers=3).stop()

    assert 0 == all_ending.n_waiting


def test_worker_answers_orders_and_refusals() -> None:
    """The two answers, as they go between the processes."""
    renderer = CertificateRenderer()
    made = wire.decode_answer(worker.answer(renderer, wire.encode(order())))
    refused = wire.decode_answer(worker.answer(renderer, wire.encode(UNPRINTABLE)))

    assert isinstance(made, wire.Made)
    assert 1 == made.rendered.sheets
    assert isinstance(refused, wire.NotMade)
    assert "missing-glyph" == refused.reason


def test_refusal_names_the_item_that_is_to_be_corrected() -> None:
    """The item comes through to the server; what it says does not."""
    (member,) = HOUSEHOLD.members
    nobody = msgspec.structs.replace(member, relationship="友")
    household = msgspec.structs.replace(HOUSEHOLD, members=(nobody,))
    asked = wire.encode(order(household=household))
    refused = wire.decode_answer(worker.answer(CertificateRenderer(), asked))

    assert isinstance(refused, wire.NotMade)
    assert "続柄" in refused.item
    assert "友" not in refused.item


@pytest.mark.processes
async def test_font_that_cannot_be_used_is_told(tmp_path: Any) -> None:
    """The pool does not start; the worker has said why on standard error."""
    pool = RendererPool(workers=1, fonts=[tmp_path / "none.ttf"])
    with pytest.raises(AdapterError, match="did not start: exit status 1"):
        await pool.start()
    await pool.stop()
