"""Yokohama, 27 March 2023, 11:34 to 11:43: ten documents of eighteen people went to others.

Under load printing was late. A time-out let go of the lock of the printing order alone and not of
the whole request, and the request that waited took the print image which came next: another
applicant's. Known from the maker's statement of 30 March 2023, quoted at
https://note.com/snob1958/n/nfe020aa61f0c, and from
https://xtech.nikkei.com/atcl/nxt/info/18/00037/051000130/.

Here: renderings that come after their time-out, while others wait for theirs.
"""

import asyncio
import itertools
import struct
from datetime import date

import pytest

from issuance_server.adapters.renderer import pool as pool_module
from issuance_server.adapters.renderer.pool import RendererPool
from issuance_server.certificates.gate import gate_fault
from issuance_server.certificates.order import CertificateOrder
from issuance_server.runtime import performer
from issuance_server.sample.city import ISSUER
from protocol.errors import AdapterError
from protocol.kinds import Kind, Options
from protocol.limits import RENDER_MS_MAX
from tests.incidents.conftest import Play
from tests.incidents.founding import HOUSEHOLDS
from tests.incidents.planted import OneImageFile, SlowWorkers
from tests.incidents.stage import (
    IncidentTown,
    Visit,
    Workers,
    assert_clean_refusal,
    assert_own_paper,
    assert_own_paper_or_refusal,
)

_MS_PER_S = 1_000
FIRST_MS, OTHERS_MS = RENDER_MS_MAX + 20_000, RENDER_MS_MAX - 2_000
"""The first image comes long after its time-out, and before those of the people who came later."""
LATER_MS = RENDER_MS_MAX - 5_000


async def one_then_the_others(town: IncidentTown) -> list[Visit]:
    """Let one person come, and two more while the first one's image is not there yet."""

    async def later(number: int) -> Visit:
        await asyncio.sleep(LATER_MS / _MS_PER_S)
        return await town.machines[number].visit()

    return list(await asyncio.gather(town.machines[0].visit(), later(1), later(2)))


def test_image_that_comes_after_its_time_meets_nobody(play: Play) -> None:
    """Whoever's time was over is refused as a whole; the others get their own paper."""
    making = SlowWorkers(FIRST_MS, OTHERS_MS, OTHERS_MS)

    async def scene(town: IncidentTown) -> None:
        first, *others = await one_then_the_others(town)
        assert_clean_refusal(first, "RENDERING_FAILED")
        for visit in others:
            assert_own_paper(visit)
        assert ["RENDERING_FAILED"] == town.withdrawn()
        assert_own_paper(await town.machines[0].visit())

    play(scene, workers=Workers(making))
    assert 1 == making.late


def test_those_who_wait_for_a_place_get_nothing_of_those_before_them(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One place for all: what is made after its request has ended is thrown away."""
    monkeypatch.setattr(performer, "RENDERINGS_AT_ONCE_MAX", 1)
    making = SlowWorkers(*[RENDER_MS_MAX * 2 // 3] * 3)

    async def scene(town: IncidentTown) -> None:
        visits = await town.all_visit()
        for visit in visits:
            assert_own_paper_or_refusal(visit)
        assert 1 == sum(1 for visit in visits if visit.sheets)
        assert 2 == len(town.withdrawn())
        for visit in await town.all_visit():
            assert_own_paper(visit)

    play(scene, workers=Workers(making))


def test_one_image_file_for_all_is_seen_by_the_gate(play: Play) -> None:
    """The very fault of 2023 in the place where certificates are made: it is not handed out."""

    async def scene(town: IncidentTown) -> None:
        first, second, third = await one_then_the_others(town)
        assert_clean_refusal(first)
        assert_clean_refusal(second)  # the first one's image came to them
        assert_own_paper_or_refusal(third)
        assert "another-document" == town.alarms()[0]

    play(scene, workers=Workers(OneImageFile(FIRST_MS, OTHERS_MS, OTHERS_MS)))


def test_the_assertion_sees_the_fault_where_there_is_no_gate(play: Play) -> None:
    """Without the gate the second person takes home the first one's certificate."""

    async def scene(town: IncidentTown) -> None:
        for visit in await one_then_the_others(town):
            assert_own_paper_or_refusal(visit)

    workers = Workers(OneImageFile(FIRST_MS, OTHERS_MS, OTHERS_MS))
    with pytest.raises(AssertionError, match="not the applicant's"):
        play(scene, workers=workers, gated=False)


@pytest.mark.processes
async def test_late_answer_of_a_worker_process_meets_nobody(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The real worker answers after its asker has gone; the next order gets its own document."""
    orders = [
        CertificateOrder(
            issuance_id=struct.pack(">QQ", 1, number),
            kind=Kind.JUMINHYO,
            options=Options(),
            holder_id=household.head_id,
            household=household,
            numbers=(f"20261130 豊中市 HB-0001 001 {number:06d}",),
            issued_on=date(2026, 11, 30),
            issuer=ISSUER,
        )
        for number, household in enumerate(HOUSEHOLDS, start=1)
    ]
    pool = RendererPool(workers=1)
    await pool.start()
    try:
        for given_up, order in itertools.pairwise(orders):
            with monkeypatch.context() as hurry:
                hurry.setattr(pool_module, "RENDER_MS_MAX", 0)
                with pytest.raises(AdapterError, match="in 0 ms"):
                    await pool.render(given_up)
            assert gate_fault(order, await pool.render(order)) is None
    finally:
        await pool.stop()
