"""PINs that holders type at the counter: read without showing them, and let go of at once."""

import argparse
import getpass
import sys

from issuance_server.app import City
from keys.key_record import Purpose
from keys.pin_sealing import PIN_DIGITS_MAX, PIN_DIGITS_MIN
from protocol.errors import SetUpError
from protocol.secret import Secret

_DIGITS = frozenset(b"0123456789")


def type_pin(arguments: argparse.Namespace, *, twice: bool = False) -> Secret:
    """Let the holder type a PIN, on the line after the passphrases where these come from there.

    Args:
        arguments: of the command.
        twice: ask a second time, for a PIN that is new.

    Raises:
        SetUpError: it is no PIN, the two differ, or there is nobody to ask.
    """
    if arguments.passphrase_stdin:
        return checked_pin(Secret(sys.stdin.readline().rstrip("\r\n").encode()))
    if not sys.stdin.isatty():
        raise SetUpError("there is no keypad to type the PIN on; give it with --passphrase-stdin")
    pin = checked_pin(Secret(getpass.getpass("PIN (the holder types it): ").encode()))
    if twice and pin != Secret(getpass.getpass("the same again: ").encode()):
        raise SetUpError("the two PINs differ; nothing was done")
    return pin


def checked_pin(pin: Secret) -> Secret:
    """Return a PIN that is one.

    Raises:
        SetUpError: it is none.
    """
    digits = pin.reveal()
    if not (PIN_DIGITS_MIN <= len(digits) <= PIN_DIGITS_MAX and _DIGITS.issuperset(digits)):
        raise SetUpError(f"a PIN has {PIN_DIGITS_MIN} to {PIN_DIGITS_MAX} digits; type it again")
    return pin


def newest_sealing_key(city: City) -> bytes:
    """Return what PINs are sealed to, 1216 bytes."""
    return city.keys.trust.newest(Purpose.PIN_OPENING)
