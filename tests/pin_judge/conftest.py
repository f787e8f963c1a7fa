"""Real keys of a city, made once; a judge on a file of its own for every test."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from keys.authority import Authority
from keys.city_folder import OPERATORS_FOLDER, CityFolder
from keys.city_keys import create_city_keys, load_judge_keys
from keys.operators import Operator
from protocol.secret import Secret
from tests.pin_judge.judge_bench import CITY, JudgeBench


@pytest.fixture(scope="session")
def city_keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("city") / "keys"
    create_city_keys(root, CITY, datetime.now(UTC))
    return root


@pytest.fixture(scope="session")
def authority(city_keys: Path) -> Authority:
    return Authority.of_city(CityFolder.at(city_keys))


@pytest.fixture(scope="session")
def operator(city_keys: Path, authority: Authority) -> Operator:
    return Operator.create(
        city_keys / OPERATORS_FOLDER, "hanako", Secret(b"correct horse"), authority
    )


@pytest.fixture(scope="session")
def second(city_keys: Path, authority: Authority) -> Operator:
    return Operator.create(
        city_keys / OPERATORS_FOLDER, "taro", Secret(b"battery staple"), authority
    )


@pytest.fixture
def operators(operator: Operator, second: Operator) -> tuple[Operator, Operator]:
    return operator, second


@pytest.fixture
async def bench(city_keys: Path, tmp_path: Path) -> AsyncIterator[JudgeBench]:
    folder = tmp_path / "judge"
    folder.mkdir()
    bench = JudgeBench(
        path=folder / "judge.db",
        keys=load_judge_keys(city_keys),
        operators_folder=city_keys / OPERATORS_FOLDER,
    )
    await bench.open()
    yield bench
    await bench.close()
