"""What one seed will do: how large its world is, who comes, and how often what may go wrong.

Swarm testing: no two seeds go wrong in the same way. Each kind of trouble is off in some seeds, so
that nothing hides behind it, rare in some and frequent in others; and each seed has people of its
own habits. All of it is drawn here, before anything happens.
"""

import math
import random
from dataclasses import dataclass, fields, replace
from enum import Enum

from issuance_server.runtime.intervals import Intervals
from tests.core.made import business_ms

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS


class Mode(Enum):
    """What a world is watched for."""

    SAFETY = "safety"  # faults to the last moment; nothing forbidden ever happens
    LIVENESS = "liveness"  # faults end some time; everything comes to its end


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """How often what may go wrong: probabilities per occasion, 0 for never.

    The network's are per message, those of disks per commit, those of devices per act, those of
    people per visit. Kills are mean times between two of them, in virtual milliseconds.
    """

    loss: float = 0.0
    doubling: float = 0.0
    delay: float = 0.0
    jitter: float = 0.0
    corruption: float = 0.0
    replay: float = 0.0
    misdirection: float = 0.0
    cut_every_ms: int = 0
    refused_by_carrier: float = 0.0
    server_kill_every_ms: int = 0
    server_dies_at_commit: float = 0.0
    server_disk_refuses: float = 0.0
    slow_disk: float = 0.0
    slow_thread: float = 0.0
    judge_kill_every_ms: int = 0
    judge_dies_at_commit: float = 0.0
    judge_slow: float = 0.0
    renderer_fails: float = 0.0
    renderer_slow: float = 0.0
    clock_jump_every_ms: int = 0
    power_cut_every_ms: int = 0
    power_cut_at_record: float = 0.0
    power_cut_at_device: float = 0.0
    terminal_disk_refuses: float = 0.0
    printer_fails: float = 0.0
    spool_fails: float = 0.0
    cancel: float = 0.0
    wrong_pin: float = 0.0
    leaves: float = 0.0
    wrong_money: float = 0.0
    stopped: float = 0.0
    register_change_every_ms: int = 0
    suppression_every_ms: int = 0
    key_change_every_ms: int = 0


NO_FAULTS = Rates()


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One world.

    Attributes:
        seed: what everything is drawn from.
        mode: what it is watched for.
        rates: what goes wrong how often.
        terminals: honest ones.
        byzantine: terminals that do whatever they like, under keys of their own.
        gone: how many honest terminals lose power for ever, some time.
        revoked: how many honest terminals are taken off the list, some time.
        cards: how many people have a card.
        attacked: how many of the cards are guessed at; 0: no attack.
        calm_ms: until when people come and things go wrong.
        start_ms: the city's business time at the beginning.
        all_day: whether the city is open at all hours.
        gap_ms: mean time between two visits at a terminal.
        rush: how often a visit begins at a moment at which others begin as well.
        wishes_max: certificates that one person asks for.
        renewal_ms: after this a terminal makes new line keys.
        intervals: of the server's periodic work.
        shuffles: whether the seed draws the order inside of a process as well.
        down_ms_max: how long a dead process stays dead.
    """

    seed: int
    mode: Mode
    rates: Rates
    terminals: int
    byzantine: int
    gone: int
    revoked: int
    cards: int
    attacked: int
    calm_ms: int
    start_ms: int
    all_day: bool
    gap_ms: int
    rush: float
    wishes_max: int
    renewal_ms: int
    intervals: Intervals
    shuffles: bool
    down_ms_max: int


def draw_plan(seed: int, mode: Mode) -> Plan:
    """Return the plan of a seed."""
    dice = random.Random(f"plan {seed} {mode.value}")
    gap_ms = dice.choice(GAPS_MS)
    calm_ms = dice.randint(3, 8) * gap_ms
    day, night = business_ms(2026, 11, 30, 0), business_ms(2026, 12, 1, 0)
    starts = (
        (day + 10 * HOUR_MS, False),
        (day + 10 * HOUR_MS, False),
        (day + 10 * HOUR_MS, False),
        (day + 23 * HOUR_MS - int(0.6 * calm_ms), False),  # closing time comes
        (day + 6 * HOUR_MS + 30 * MINUTE_MS - int(0.2 * calm_ms), False),  # opening time comes
        (night - calm_ms // 2, True),  # midnight comes
    )
    start_ms, all_day = dice.choice(starts)
    attack = dice.random() < ATTACKS
    rates = _draw_rates(dice, gap_ms)
    if attack:
        rates = replace(rates, wrong_pin=0.95)
    return Plan(
        seed=seed,
        mode=mode,
        rates=rates,
        terminals=dice.randint(2, 5),
        byzantine=dice.choice((0, 0, 0, 1)),
        gone=dice.choice((0, 0, 1)),
        revoked=dice.choice((0, 0, 0, 1)),
        cards=dice.randint(3, 8),
        attacked=dice.randint(1, 2) if attack else 0,
        calm_ms=calm_ms,
        start_ms=start_ms,
        all_day=all_day,
        gap_ms=gap_ms,
        rush=dice.choice((0.3, 0.6, 0.9)),
        wishes_max=dice.choice((1, 3, 6, 10)),
        renewal_ms=dice.choice((5_000, 30_000, 10 * MINUTE_MS, 24 * HOUR_MS)),
        intervals=_draw_intervals(dice),
        shuffles=dice.random() < SHUFFLES,
        down_ms_max=dice.choice((1_000, 20_000, 90_000)),
    )


_PROBABILITIES: dict[str, tuple[float, float]] = {
    "loss": (0.01, 0.25),
    "doubling": (0.05, 0.6),
    "delay": (0.02, 0.4),
    "jitter": (0.1, 0.9),
    "corruption": (0.005, 0.15),
    "replay": (0.05, 0.6),
    "misdirection": (0.005, 0.1),
    "refused_by_carrier": (0.005, 0.1),
    "server_dies_at_commit": (0.0002, 0.006),
    "server_disk_refuses": (0.0001, 0.001),
    "slow_disk": (0.01, 0.3),
    "slow_thread": (0.01, 0.3),
    "judge_dies_at_commit": (0.001, 0.05),
    "judge_slow": (0.01, 0.2),
    "renderer_fails": (0.005, 0.1),
    "renderer_slow": (0.01, 0.2),
    "power_cut_at_record": (0.0005, 0.02),
    "power_cut_at_device": (0.001, 0.04),
    "terminal_disk_refuses": (0.0002, 0.003),
    "printer_fails": (0.001, 0.02),
    "spool_fails": (0.001, 0.02),
    "cancel": (0.01, 0.2),
    "wrong_pin": (0.02, 0.3),
    "leaves": (0.01, 0.1),
    "wrong_money": (0.01, 0.2),
    "stopped": (0.005, 0.05),
}
"""Of each probability, the least and the greatest that is drawn where it is not 0."""
_MEAN_TIMES_MS: dict[str, tuple[int, int]] = {
    "cut_every_ms": (2 * MINUTE_MS, HOUR_MS),
    "server_kill_every_ms": (3 * MINUTE_MS, HOUR_MS),
    "judge_kill_every_ms": (3 * MINUTE_MS, HOUR_MS),
    "clock_jump_every_ms": (2 * MINUTE_MS, HOUR_MS),
    "power_cut_every_ms": (5 * MINUTE_MS, 2 * HOUR_MS),
    "register_change_every_ms": (MINUTE_MS // 2, 30 * MINUTE_MS),
    "suppression_every_ms": (MINUTE_MS, HOUR_MS),
    "key_change_every_ms": (10 * MINUTE_MS, 2 * HOUR_MS),
}
_OFTEN_ON = frozenset({"doubling", "delay", "jitter", "replay", "loss", "slow_disk", "slow_thread"})
_ON, _ON_OFTEN = 0.55, 0.85
ATTACKS = 0.2
GAPS_MS = tuple(minutes * MINUTE_MS for minutes in (1, 5, 30, 60, 90))
SHUFFLES = 0.7
_TIMES_FIT_GAP_MS = 2 * MINUTE_MS
"""The mean times above are for visits that come this often; in quieter worlds they stretch."""


def _draw_rates(dice: random.Random, gap_ms: int) -> Rates:
    drawn: dict[str, float] = {}
    for field in fields(Rates):
        on = dice.random() < (_ON_OFTEN if field.name in _OFTEN_ON else _ON)
        least, greatest = (_PROBABILITIES | _MEAN_TIMES_MS)[field.name]
        level = math.exp(dice.uniform(math.log(least), math.log(greatest)))
        if field.name in _MEAN_TIMES_MS:
            level = int(level * max(1.0, gap_ms / _TIMES_FIT_GAP_MS))
        if on:
            drawn[field.name] = level
    return Rates(**drawn)  # type: ignore[arg-type]  # the times are whole numbers


def _draw_intervals(dice: random.Random) -> Intervals:
    """Larger ones than in earnest, so that quiet hours cost little; sometimes the real ones."""
    evidence_ms = 60_000
    return Intervals(
        judge_events_ms=dice.choice((20_000, evidence_ms, evidence_ms)),
        tree_ms=dice.choice((20_000, evidence_ms, evidence_ms)),
        list_ms=dice.choice((20_000, 60_000)),
        register_ms=60_000,
        heartbeat_ms=dice.choice((30_000, 120_000, 300_000, 300_000, 900_000)),
        drops_ms=60_000,
        write_ahead_log_ms=5 * MINUTE_MS,
        evidence_ms=evidence_ms,
    )
