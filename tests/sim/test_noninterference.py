"""Under all faults of the simulation, nobody outside can tell who the people are.

``tests/leaks`` compares what a city of real parts shows; this does it where everything goes wrong.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import replace
from itertools import count, islice
from typing import Any

import pytest

from issuance_server.adapters.pin_judge import process
from keys.pin_sealing import PIN_DIGITS_MAX, PIN_DIGITS_MIN
from protocol import codec
from protocol import telegrams as t
from protocol.errors import SealError
from protocol.limits import MENU_BUCKET_BYTES
from protocol.secret import Secret
from tests.sim import city, stand_ins
from tests.sim.loop import pause_us
from tests.sim.network import Port
from tests.sim.noninterference import Compared, compare, first_difference, observe
from tests.sim.outcome import Plant
from tests.sim.plan import MINUTE_MS, Mode, draw_plan
from tests.sim.residents import PINS_DRAWN, DrawnCard, OtherResidents, residents
from tests.sim.server_node import ServerNode

SHORT_SEEDS = 12
FULL_SEEDS, SEEDS_PER_PART = 1_000, 50
BUSY_GAP_MS_MAX = 5 * MINUTE_MS
"""The short form takes the first seeds in which people come that often: most is seen soonest."""
PLANTED_FIRST_SEED, PLANTED_SEEDS_MAX = 4, 5
LONG_NAME_LETTERS = 13
_US_PER_DIGIT = 1_000


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give the comparison its seeds: all of them in parts, or a few busy ones."""
    if "seeds" not in metafunc.fixturenames:
        return
    if metafunc.config.getoption("--full"):
        parts: list[Iterable[int]] = [
            range(first, first + SEEDS_PER_PART) for first in range(1, FULL_SEEDS, SEEDS_PER_PART)
        ]
    else:
        plans = (draw_plan(seed, Mode.SAFETY) for seed in count(1))
        busy = (plan.seed for plan in plans if plan.gap_ms <= BUSY_GAP_MS_MAX)
        parts = [tuple(islice(busy, SHORT_SEEDS))]
    metafunc.parametrize("seeds", parts, ids=lambda seeds: f"{seeds[0]}-{seeds[-1]}")


@pytest.mark.slow
def test_broker_log_and_machines_tell_nobody_apart(seeds: Iterable[int]) -> None:
    """Whoever the people are, message for message and line for line is the same."""
    sums = Compared()
    for seed in seeds:
        sums.add(compare(seed, Mode.SAFETY))
    print(sums.line())

    assert {} == sums.told_apart
    assert sums.counts["completed"] > 0
    assert sums.faults["wrong PIN"] > 0


@pytest.mark.slow
def test_nobody_is_told_apart_when_all_has_ended_either() -> None:
    """When the faults stop and everything comes to its end, that looks the same, too."""
    compared = compare(PLANTED_FIRST_SEED, Mode.LIVENESS)

    assert {} == compared.told_apart
    assert compared.counts["completed"] > 0


def test_other_people_differ_in_what_is_secret_only() -> None:
    """Households keep their form, and names, numbers, days and addresses are others."""
    one, other = OtherResidents(1), OtherResidents(2)

    assert len(one.adults) == len(other.adults) == len(residents(None).adults)
    for left, right in zip(one.households, other.households, strict=True):
        assert left.address != right.address
        assert len(left.members) == len(right.members)
        for member, mate in zip(left.members, right.members, strict=True):
            assert member.relationship == mate.relationship
            assert member.name != mate.name
            assert member.resident_id != mate.resident_id


def test_wrong_pins_stay_wrong() -> None:
    """Of all numbers that may be drawn, exactly the lucky one is typed as the right PIN."""
    drawn = DrawnCard(number=bytes(16), key=bytes(32), lucky=7, salt=bytes(16), card_ref="card-1")
    people = OtherResidents(1)
    (card,) = people.cards([drawn])
    typed = [people.pin(card, number).reveal() for number in range(PINS_DRAWN)]

    assert [7] == [number for number, pin in enumerate(typed) if pin == typed[7]]
    lengths = {len(pin) for pin in typed}
    assert set(range(PIN_DIGITS_MIN, PIN_DIGITS_MAX + 1)) == lengths


def test_the_same_people_are_the_same() -> None:
    """A world with the same people repeats itself, so that a difference is the people's doing."""
    one, again = (observe(PLANTED_FIRST_SEED, Mode.SAFETY, 1) for _ in range(2))

    assert None is first_difference(one, again)
    assert one.outcome.trace_hash == again.outcome.trace_hash
    assert len(one.passed) > 100


# What follows shows that the comparison bites: a leak is planted, and few seeds must find it.


def a_name_decides_on_a_bucket(patch: pytest.MonkeyPatch) -> None:
    """A quotation is padded to a larger bucket if the holder has a long name."""

    def pad(name: str) -> None:
        worlds_own: Any = codec
        floors = worlds_own.BUCKET_FLOOR_BYTES
        floors[t.Quotation] = MENU_BUCKET_BYTES if len(name) > LONG_NAME_LETTERS else 0

    _hear_names(patch, pad)


def a_name_decides_on_a_topic(patch: pytest.MonkeyPatch) -> None:
    """Each answer is sent once more, to a topic that tells how long the last name was."""
    names = [""]
    publish = Port.publish

    async def twice(port: Any, topic: str, payload: bytes) -> None:
        await publish(port, topic, payload)
        if topic.endswith("/down"):
            await publish(port, f"{topic}/{len(names[-1])}", payload)

    _hear_names(patch, names.append)
    patch.setattr(Port, "publish", twice)


def _hear_names(patch: pytest.MonkeyPatch, hear: Any) -> None:
    """Tell the name of each holder for whom a certificate is made."""
    shipped = stand_ins.rendered

    def made(order: Any) -> Any:
        hear(order.household.member(order.holder_id).name)
        return shipped(order)

    patch.setattr(stand_ins, "rendered", made)


def a_reference_is_a_hash_of_the_number(patch: pytest.MonkeyPatch) -> None:
    """The log names cards by a hash of their number, which anybody can compute."""
    within: Any = city
    shipped = within.card_row

    def hashed(peppers: Any, new: Any, random_bytes: Any) -> Any:
        number = hashlib.sha256(new.number).hexdigest()
        return replace(shipped(peppers, new, random_bytes), card_ref=f"card-{number[:16]}")

    patch.setattr(city, "card_row", hashed)


def each_digit_takes_its_time(patch: pytest.MonkeyPatch) -> None:
    """The judge takes a millisecond more for each digit of the PIN that it opens."""
    shipped_open, shipped_answer = stand_ins.StandInOpener.open, process.answer
    digits: list[int] = []

    def counting(opener: Any, block: bytes, info: bytes) -> Secret:
        pin = shipped_open(opener, block, info)
        digits.append(len(pin))
        return pin

    async def slowly(judge: Any, request: bytes) -> bytes:
        answer = await shipped_answer(judge, request)
        while digits:
            await pause_us(digits.pop() * _US_PER_DIGIT)
        return answer

    patch.setattr(stand_ins.StandInOpener, "open", counting)
    patch.setattr(process, "answer", slowly)


def a_line_tells_an_address(patch: pytest.MonkeyPatch) -> None:
    """A line of the log says how long the address on the last certificate is."""
    shipped_made, shipped_log = stand_ins.rendered, ServerNode._log
    lengths = [0]

    def made(order: Any) -> Any:
        lengths.append(len(order.household.address))
        return shipped_made(order)

    def talkative(node: Any, event_name: str, /, **fields: object) -> None:
        if event_name == "issuance.quoted":
            fields["issuance"] = f"{fields['issuance']} {lengths[-1]}"
        shipped_log(node, event_name, **fields)

    patch.setattr(stand_ins, "rendered", made)
    patch.setattr(ServerNode, "_log", talkative)


def only_four_digits_count(patch: pytest.MonkeyPatch) -> None:
    """The judge takes a PIN of more than four digits for a damaged one."""
    shipped = stand_ins.StandInOpener.open

    def four(opener: Any, block: bytes, info: bytes) -> Secret:
        pin = shipped(opener, block, info)
        if len(pin) > PIN_DIGITS_MIN:
            raise SealError
        return pin

    patch.setattr(stand_ins.StandInOpener, "open", four)


@pytest.mark.slow
@pytest.mark.parametrize(
    "plant",
    [
        a_name_decides_on_a_bucket,
        a_name_decides_on_a_topic,
        a_reference_is_a_hash_of_the_number,
        each_digit_takes_its_time,
        a_line_tells_an_address,
        only_four_digits_count,
    ],
)
def test_planted_leaks_are_found(plant: Plant) -> None:
    """Each planted leak lets somebody be told apart within a few seeds."""
    for seed in range(PLANTED_FIRST_SEED, PLANTED_FIRST_SEED + PLANTED_SEEDS_MAX):
        told_apart = compare(seed, Mode.SAFETY, plant=plant).told_apart
        if told_apart:
            print(seed, told_apart[seed])
            return
    pytest.fail("not found")
