"""Two runs that differ in nothing but who the people are look the same from outside.

Outside is whoever has the broker (when which message of what length went where, with the header
that is not encrypted), the log, or a view of the terminals' screens. Both runs have the same course
and the same dice; names, addresses, numbers, birthdays, PINs of any length and card numbers are
others. What differs all the same has leaked. How long a processor takes does not show in here.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from issuance_server.certificates.order import CertificateOrder, Rendered
from protocol import codec, sealed_certificate
from protocol.kinds import Item, Options, Scope
from protocol.limits import TELEGRAM_BUCKETS_BYTES
from protocol.secret import Secret
from protocol.telegrams import AnyTelegram
from terminal_sim.core import issuance_desk
from tests.leaks import paper, watched_city, watched_terminal
from tests.leaks.observation import Observation, Observatory
from tests.leaks.paper import cheap_certificate, real_certificate
from tests.leaks.people import Course, course, secrets_for

SHORT_SEEDS = 200
FULL_SEEDS = 1_000
REAL_PAPER_SEEDS = (3, 7, 10)
CONTROL_RUNS = 8
"""Of these, each with a certificate, a planted fault must show in most."""
HIDDEN_COURSE_SEEDS = 12
_LENGTH_BYTES = 4


def twins(
    observatory: Observatory,
    seed: int,
    render: watched_city.Render = cheap_certificate,
) -> tuple[Observation, Observation]:
    """Run one course with two sets of secrets."""
    what = course(seed)
    one, other = (
        observatory.watch(what, secrets_for(what, f"{seed} {side}"), seed=seed, render=render)
        for side in ("one", "other")
    )
    return one, other


def first_difference(one: Observation, other: Observation) -> str | None:
    """Return the first thing that somebody could tell the runs apart by."""
    for kind in ("passed", "logged", "told"):
        seen: tuple[list[Any], list[Any]] = (getattr(one, kind), getattr(other, kind))
        for left, right in zip(*seen, strict=False):
            if left != right:
                return f"{kind}:\n{left}\n{right}"
        if len(seen[0]) != len(seen[1]):
            return f"{kind}: {len(seen[0])} or {len(seen[1])} in all"
    return None


@pytest.mark.slow
def test_broker_log_and_screen_tell_nobody_apart(
    observatory: Observatory, pytestconfig: pytest.Config
) -> None:
    """Whoever the people are, message for message and line for line is the same."""
    seeds = FULL_SEEDS if pytestconfig.getoption("--full") else SHORT_SEEDS
    told_apart: dict[int, str] = {}
    completed = 0
    for seed in range(seeds):
        one, other = twins(observatory, seed)
        completed += any("issuance.completed" in line for line in one.logged)
        difference = first_difference(one, other)
        if difference is not None:
            told_apart[seed] = difference

    assert {} == told_apart
    assert completed > seeds // 2, "too few runs came so far that they could have leaked"


@pytest.mark.slow
@pytest.mark.parametrize("seed", REAL_PAPER_SEEDS)
def test_real_certificates_tell_nobody_apart_either(observatory: Observatory, seed: int) -> None:
    """With the city's own certificates, whose files differ in length, it holds as well."""
    sizes: dict[int, set[int]] = {}

    def render(order: CertificateOrder) -> Rendered:
        rendered = real_certificate(order)
        sizes.setdefault(rendered.sheets, set()).add(len(rendered.pdf))
        return rendered

    assert None is first_difference(*twins(observatory, seed, render))
    assert any(len(lengths) > 1 for lengths in sizes.values())


@pytest.mark.slow
def test_the_broker_cannot_tell_why_or_what(observatory: Observatory) -> None:
    """Nor can the broker tell why nothing was issued, how many live together, or what is asked."""
    for seed in range(HIDDEN_COURSE_SEEDS):
        what = course(seed)
        passed = [
            observatory.watch(
                shown, secrets_for(shown, f"{seed} {side}"), seed=seed, render=cheap_certificate
            ).passed
            for side, shown in (("one", alone(what)), ("other", otherwise(what)))
        ]
        assert passed[0] == passed[1], f"seed {seed}"


def alone(what: Course) -> Course:
    """The course as one in which everybody asks for themselves."""
    return with_options(what, Options(scope=Scope.SELF))


def otherwise(what: Course) -> Course:
    """That course with another reason for each refusal, other households, other items."""
    items = (Item.RELATIONSHIP, Item.DOMICILE)
    holders = tuple(
        replace(
            holder,
            members=6 - holder.members,
            under_age=holder.suppressed,
            suppressed=holder.under_age,
        )
        for holder in what.holders
    )
    changed = with_options(what, Options(scope=Scope.SELF, items=items))
    return replace(changed, holders=holders)


def with_options(what: Course, options: Options) -> Course:
    """Return the course with the same choice wherever there is one."""
    visits = tuple(
        tuple(replace(visit, options=visit.options and options) for visit in at_terminal)
        for at_terminal in what.visits
    )
    return replace(what, visits=visits)


def test_the_same_secrets_give_the_same_run_and_it_is_not_empty(observatory: Observatory) -> None:
    """A run repeats itself to the microsecond, so that a difference is the secrets' doing."""
    what = course(3)
    one, again = (
        observatory.watch(what, secrets_for(what, "x"), seed=3, render=cheap_certificate)
        for _ in range(2)
    )

    assert None is first_difference(one, again)
    assert any("issuance.completed" in line for line in one.logged)
    assert len(one.passed) > 100


def test_the_courses_go_everywhere() -> None:
    """The short form holds every kind of visit, so that each had a chance to leak."""
    courses = [course(seed) for seed in range(SHORT_SEEDS)]
    visits = [visit for what in courses for at in what.visits for visit in at]

    assert 15 < sum(what.restart_at_ms is not None for what in courses)
    assert 60 < sum(what.loss > 0 for what in courses)
    assert 20 < sum(what.holders[0].suppressed or what.holders[1].under_age for what in courses)
    assert 20 < sum(visit.holder is None for visit in visits)
    assert 20 < sum(visit.pins == (False, False, False) for visit in visits)
    assert 100 < sum(visit.pins[0] is False and visit.pins[-1] for visit in visits)
    assert set(Scope) == {visit.options.scope for visit in visits if visit.options}
    assert 30 < sum(visit.dies_at is not None for visit in visits)
    assert 30 < sum(visit.jams_at is not None for visit in visits)


# What follows shows that the comparison bites: a fault is planted, and most seeds must find it.


def without_padding(patch: pytest.MonkeyPatch) -> None:
    """Telegrams as long as what is in them."""
    encode, decode = codec.encode, codec.decode

    def bare(telegram: AnyTelegram) -> bytes:
        plain = encode(telegram)
        return plain[: _LENGTH_BYTES + int.from_bytes(plain[:_LENGTH_BYTES], "big")]

    def filled(plaintext: bytes) -> AnyTelegram:
        bucket = next(size for size in TELEGRAM_BUCKETS_BYTES if size >= len(plaintext))
        return decode(plaintext.ljust(bucket, b"\0"))

    patch.setattr(codec, "encode", bare)
    patch.setattr(codec, "decode", filled)


def with_certificates_of_their_own_size(patch: pytest.MonkeyPatch) -> None:
    """Sealed certificates as long as what is in them.

    Pieces are padded, too, so only their number tells; a letter makes more of a difference here.
    """
    patch.setattr(paper, "BYTES_PER_LETTER", 8_000)
    lengths: dict[int, int] = {}
    render = watched_city.RendererWithin.render

    async def measuring(renderer: Any, order: CertificateOrder) -> Rendered:
        rendered = await render(renderer, order)
        lengths[rendered.sheets] = _LENGTH_BYTES + len(rendered.pdf)
        return rendered

    patch.setattr(watched_city.RendererWithin, "render", measuring)
    for module in (sealed_certificate, issuance_desk):
        patch.setattr(module, "padded_bytes", lengths.get)


def with_the_length_of_an_address_in_the_log(patch: pytest.MonkeyPatch) -> None:
    """A word too much in the log."""
    render = watched_city.RendererWithin.render
    lengths: list[int] = []

    async def noting(renderer: Any, order: CertificateOrder) -> Rendered:
        lengths.append(len(order.household.address))
        return await render(renderer, order)

    class Talkative(watched_city.TwoLogs):
        def __call__(self, event_name: str, /, **fields: object) -> None:
            if event_name == "issuance.quoted":
                fields["issuance"] = f"{fields['issuance']} {lengths[-1]}"
            super().__call__(event_name, **fields)

    patch.setattr(watched_city.RendererWithin, "render", noting)
    patch.setattr(watched_city, "TwoLogs", Talkative)


def with_a_star_for_each_digit_of_the_pin(patch: pytest.MonkeyPatch) -> None:
    """What many keypads show, told to the operator."""
    type_pin = watched_terminal.SlowPerson.type_pin

    async def telling(person: Any, asked: Any) -> Secret | None:
        pin = await type_pin(person, asked)
        person._say("*" * len(pin or b""))
        return pin

    patch.setattr(watched_terminal.SlowPerson, "type_pin", telling)


def with_a_renderer_that_takes_its_time(patch: pytest.MonkeyPatch) -> None:
    """A certificate takes a millisecond more for every hundred bytes."""

    def render_ms(_: object, rendered: Rendered) -> int:
        return watched_city.RENDER_MS + len(rendered.pdf) // 100

    patch.setattr(watched_city.RendererWithin, "render_ms", render_ms)


@pytest.mark.slow
@pytest.mark.parametrize(
    "plant",
    [
        without_padding,
        with_certificates_of_their_own_size,
        with_the_length_of_an_address_in_the_log,
        with_a_star_for_each_digit_of_the_pin,
        with_a_renderer_that_takes_its_time,
    ],
)
def test_planted_leaks_are_found(
    observatory: Observatory,
    monkeypatch: pytest.MonkeyPatch,
    plant: Callable[[pytest.MonkeyPatch], None],
) -> None:
    """Each planted fault makes most runs differ in which a certificate is made."""
    plant(monkeypatch)
    found: list[bool] = []
    for seed in range(SHORT_SEEDS):
        one, other = twins(observatory, seed)
        if any("issuance.quoted" in line for line in one.logged):
            found.append(first_difference(one, other) is not None)
        if len(found) == CONTROL_RUNS:
            break

    assert CONTROL_RUNS // 2 < sum(found)
