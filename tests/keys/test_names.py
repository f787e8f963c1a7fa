"""Names that become file names and topics, and municipality codes."""

import pytest

from keys.names import check_digit_holds, checked_city, checked_name
from protocol.errors import KeyManagementError


@pytest.mark.parametrize("city", ["272035", "131016", "011002", "271004", "141003"])
def test_check_digits_of_real_codes(city: str) -> None:
    """豊中市, 千代田区, 札幌市, 大阪市 and 横浜市 have check digits that hold."""
    assert check_digit_holds(checked_city(city))
    assert not check_digit_holds(city[:-1] + str((int(city[-1]) + 1) % 10))


@pytest.mark.parametrize("city", ["", "27203", "2720355", "27203x", "２７２０３５", "272035\n"])
def test_what_is_no_code(city: str) -> None:
    """Six ASCII digits and nothing else."""
    with pytest.raises(KeyManagementError):
        checked_city(city)


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "a b", "-a", "é", "a" * 33, "a\n"])
def test_what_is_no_name(name: str) -> None:
    """Nothing that leaves a folder or looks like an option."""
    with pytest.raises(KeyManagementError, match="a terminal's id"):
        checked_name(name, "a terminal's id")
