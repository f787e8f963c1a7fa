"""PINs that holders type at the counter: read without showing them, and let go of at once."""

import argparse
import getpass
import sys

from issuance_server.city import City
from keys.key_record import Purpose
from keys.pin_sealing import PIN_DIGITS_MAX, PIN_DIGITS_MIN
from protocol.errors import SetUpError
from protocol.secret import Secret

NEW_PIN_LINES = "the new PIN, and the same again, which may be left out"
_DIGITS = frozenset(b"0123456789")


def type_pin(arguments: argparse.Namespace, *, twice: bool = False) -> Secret:
    """Let the holder type a PIN, on the line after the passphrases where these come from there.

    A new one is repeated: on the next line, which a program that does not mistype may leave out.

    Args:
        arguments: of the command.
        twice: ask a second time, for a PIN that is new.

    Raises:
        SetUpError: it is no PIN, the two differ, or there is nobody to ask.
    """
    if arguments.passphrase_stdin:
        pin, again = _pin_line(), _pin_line() if twice else None
        return _same(checked_pin(pin), again or pin)
    if not sys.stdin.isatty():
        raise SetUpError("there is no keypad to type the PIN on; give it with --passphrase-stdin")
    pin = checked_pin(Secret(getpass.getpass("PIN (the holder types it): ").encode()))
    return _same(pin, Secret(getpass.getpass("the same again: ").encode()) if twice else pin)


def checked_pin(pin: Secret) -> Secret:
    """Return a PIN that is one.

    Raises:
        SetUpError: it is none.
    """
    digits = pin.reveal()
    if not (PIN_DIGITS_MIN <= len(digits) <= PIN_DIGITS_MAX and _DIGITS.issuperset(digits)):
        raise SetUpError(f"a PIN has {PIN_DIGITS_MIN} to {PIN_DIGITS_MAX} digits; type it again")
    return pin


def _pin_line() -> Secret:
    return Secret(sys.stdin.readline().rstrip("\r\n").encode())


def _same(pin: Secret, again: Secret) -> Secret:
    if pin != again:
        raise SetUpError("the two PINs differ; nothing was done")
    return pin


def newest_sealing_key(city: City) -> bytes:
    """Return what PINs are sealed to, 1216 bytes."""
    return city.keys.trust.newest(Purpose.PIN_OPENING)
