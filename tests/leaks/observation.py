"""Runs a course with its secrets once, and gives everything that an outsider may see of it."""

import asyncio
import random
import secrets as entropy
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from keys.city_keys import JudgeKeys
from tests.leaks.people import Course, Secrets
from tests.leaks.virtual_time import run_virtually
from tests.leaks.watched_broker import Passed
from tests.leaks.watched_city import Render, WatchedCity
from tests.leaks.watched_terminal import WatchedTerminal


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """What an outsider sees.

    Attributes:
        passed: of every message at the broker: when, where to, its header, its length.
        logged: the server's log, in both forms.
        told: what the terminals' screens and operators were told.
    """

    passed: list[Passed]
    logged: list[str]
    told: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Observatory:
    """Where runs take place.

    Attributes:
        folder: for the files of one run after the other; memory is fast enough.
        judge_keys: of all cities.
        patch: replaces the entropy of the terminals.
    """

    folder: Path
    judge_keys: JudgeKeys
    patch: pytest.MonkeyPatch

    def watch(self, what: Course, secrets: Secrets, *, seed: int, render: Render) -> Observation:
        """Run a course to its end."""
        place = self.folder / "run"
        place.mkdir()
        try:
            self.patch.setattr(entropy, "token_bytes", random.Random(f"run {seed}").randbytes)
            return run_virtually(self._watch(place, what, secrets, seed=seed, render=render))
        finally:
            shutil.rmtree(place)

    async def _watch(
        self, place: Path, what: Course, secrets: Secrets, *, seed: int, render: Render
    ) -> Observation:
        city = WatchedCity(
            folder=place,
            what=what,
            secrets=secrets,
            judge_keys=self.judge_keys,
            seed=seed,
            render=render,
        )
        await city.found()
        terminals = [WatchedTerminal(city, far) for far in city.fars]
        async with asyncio.TaskGroup() as group:  # a server that breaks ends the run
            serving = group.create_task(city.serve())
            working = [
                group.create_task(terminal.work(visits))
                for terminal, visits in zip(terminals, what.visits, strict=True)
            ]
            await asyncio.gather(*working)
            serving.cancel()
        await city.close()
        return Observation(
            passed=city.broker.passed,
            logged=city.log.text(),
            told=[line for terminal in terminals for line in terminal.told],
        )
