"""Dates as certificates print them."""

from datetime import date

from issuance_server.core.eras import wareki
from issuance_server.core.register import RegisterDate

__all__ = ["full_width", "registered", "wareki"]

_FULL_WIDTH = str.maketrans("0123456789", "０１２３４５６７８９")


def registered(day: date) -> RegisterDate:
    """Return a known day as the register holds it."""
    return RegisterDate(text=wareki(day), on=day)


def full_width(text: str) -> str:
    """Return a text with the full-width digits of family registers."""
    return text.translate(_FULL_WIDTH)
