"""The network between server, terminals and broker: cut, stalled, slow, corrupted."""

import random
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tests.faults.proxy import Proxy, Weather
from tests.faults.report import Row
from tests.faults.stage import Foundation, Stage, staged
from tests.faults.storm import Load, settled_and_examined

BROKER = [sys.executable, "-P", "-m", "issuance_server.adapters.embedded_broker"]
CALM_S = (0.2, 1.5)
FAULTS_PER_EXAMINATION = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """One kind of bad weather.

    Attributes:
        name: on the command line.
        length_s: how long it lasts, from and to.
        begin: makes it.
    """

    name: str
    length_s: tuple[float, float]
    begin: Callable[[Proxy, random.Random], None]


def _set(**what: float) -> Callable[[Proxy, random.Random], None]:
    def begin(proxy: Proxy, _: random.Random) -> None:
        for name, value in what.items():
            setattr(proxy.weather, name, value)

    return begin


def _slow(proxy: Proxy, chance: random.Random) -> None:
    proxy.weather.bytes_per_s = chance.choice((1_200, 4_000, 16_000))


def _corrupt(proxy: Proxy, chance: random.Random) -> None:
    proxy.weather.flips_per_kib = chance.choice((0.02, 0.2, 2.0))


TROUBLES = (
    Trouble(name="network-cut", length_s=(0.0, 3.0), begin=lambda proxy, _: proxy.cut()),
    Trouble(name="network-stalled", length_s=(0.2, 8.0), begin=_set(stalled=True)),
    Trouble(name="network-slow", length_s=(1.0, 6.0), begin=_slow),
    Trouble(name="network-corrupted", length_s=(0.5, 4.0), begin=_corrupt),
)


@dataclass(slots=True)
class Roads:
    """The ways to the broker: the server's and the terminals', each with weather of its own."""

    server: Proxy
    terminals: Proxy

    def trouble(self, trouble: Trouble, chance: random.Random) -> None:
        """Let one kind of trouble come over one road or both, and go again."""
        hit = chance.choice(((self.server,), (self.terminals,), (self.server, self.terminals)))
        for proxy in hit:
            trouble.begin(proxy, chance)
        time.sleep(chance.uniform(*trouble.length_s))
        for proxy in hit:
            proxy.clear()

    def weathers(self) -> tuple[Weather, Weather]:
        """Return both."""
        return self.server.weather, self.terminals.weather


@contextmanager
def roads(stage: Stage, seed: int) -> Iterator[Roads]:
    """Put a broker of its own beside the city, with a proxy for either side before it."""
    port = stage.town.port
    broker = subprocess.Popen(
        [*BROKER, "--port", str(port)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert broker.stdout is not None
    broker.stdout.readline()
    made = Roads(Proxy(port, seed), Proxy(port, seed + 1))
    settings = stage.town.folder / "server.toml"
    text = settings.read_text().replace("embedded = true", "embedded = false")
    settings.write_text(re.sub(rf"\b{port}\b", str(made.server.port), text))
    for path in stage.town.folder.glob("terminals/*/terminal.toml"):
        path.write_text(re.sub(rf"\b{port}\b", str(made.terminals.port), path.read_text()))
    try:
        yield made
    finally:
        made.server.close()
        made.terminals.close()
        broker.kill()
        broker.wait()


def troubled(
    foundation: Foundation, trouble: Trouble, *, faults: int, seed: int, planted: str = ""
) -> Row:
    """Let trouble come and go while terminals issue, and settle in fair weather."""
    row = Row(fault=trouble.name, rerun=f"--only {trouble.name} --seed {seed}")
    chance = random.Random(seed)
    with staged(foundation, trouble.name, planted=planted) as stage, roads(stage, seed) as ways:
        stage.start()
        load = Load(stage)
        while row.points < faults and row.clean:
            load.begin()
            for _ in range(min(FAULTS_PER_EXAMINATION, faults - row.points)):
                time.sleep(chance.uniform(*CALM_S))
                ways.trouble(trouble, chance)
                row.points += 1
            began = time.monotonic()
            load.end()
            row.findings.add(settled_and_examined(stage, row, began))
            if not stage.serves():
                row.findings.other.append("the server ended")
            sys.stderr.write(f"{trouble.name}: {row.points}, {load.visits} visits\n")
        passed = sum(weather.passed_bytes for weather in ways.weathers())
        flipped = sum(weather.flipped_bits for weather in ways.weathers())
        row.notes.append(
            f"{load.visits} visits, {len(stage.witness.sheets())} papers,"
            f" {passed} bytes passed, {flipped} bits turned"
        )
    return row
