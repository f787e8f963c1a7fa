"""The library of traces, played against one fresh city: the regression suite of the telegrams."""

from pathlib import Path

import pytest

pytestmark = [pytest.mark.processes, pytest.mark.slow]

HERE = Path(__file__).parent
LIBRARY = sorted(
    str(path.relative_to(HERE))
    for pattern in ("*/*.jsonl", "*/*.scenario.toml")
    for path in HERE.glob(pattern)
)
NOBODY_KNOWS = {"stranger": "new"}


@pytest.mark.parametrize(
    "file",
    [
        pytest.param(file, marks=pytest.mark.trace(file, cards=NOBODY_KNOWS), id=file)
        for file in LIBRARY
    ],
)
def test_city_says_what_the_trace_says(file: str, cards_from_elsewhere: None) -> None:
    """Each course, each refusal and each fault of the library goes as it is written there."""
