"""What may be named how: cities, terminals, operators. Names become file names and topics."""

import re

from protocol.errors import KeyManagementError

CITY_DIGITS = 6
"""全国地方公共団体コード: five digits and a check digit."""
NAME_CHARACTERS_MAX = 32

_CITY = re.compile(rf"[0-9]{{{CITY_DIGITS}}}")
_NAME = re.compile(rf"[A-Za-z0-9][A-Za-z0-9-]{{0,{NAME_CHARACTERS_MAX - 1}}}")
_CHECK_WEIGHTS = (6, 5, 4, 3, 2)
_CHECK_MODULUS = 11
_DECIMAL = 10


def checked_city(city: str) -> str:
    """Return a municipality code if it is one by its form: six digits.

    Raises:
        KeyManagementError: it is not.
    """
    if not _CITY.fullmatch(city):
        raise KeyManagementError("a municipality code has six digits, such as 272035")
    return city


def check_digit_holds(city: str) -> bool:
    """Tell whether the sixth digit of a municipality code fits the other five.

    The first five are weighted 6, 5, 4, 3, 2; the check digit is the last decimal digit of 11
    minus the remainder of the sum by 11 (総務省, 全国地方公共団体コード仕様; JIS X 0402).
    """
    total = sum(
        weight * int(digit) for weight, digit in zip(_CHECK_WEIGHTS, city[:-1], strict=True)
    )
    return int(city[-1]) == (_CHECK_MODULUS - total % _CHECK_MODULUS) % _DECIMAL


def checked_name(name: str, what: str) -> str:
    """Return a terminal's id or an operator's name if it may be one.

    Args:
        name: letters, digits and hyphens, at most 32, not beginning with a hyphen.
        what: what the name is for, as the message says it.

    Raises:
        KeyManagementError: it has other characters, or none, or too many.
    """
    if not _NAME.fullmatch(name):
        raise KeyManagementError(
            f"{what} is made of letters, digits and hyphens, at most {NAME_CHARACTERS_MAX}, "
            "and does not begin with a hyphen"
        )
    return name
