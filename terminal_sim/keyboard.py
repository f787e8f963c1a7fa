"""A keypad at a real keyboard: one hidden line, read without holding up the machine."""

import asyncio
import os
import sys
import termios

from keys.pin_sealing import PIN_DIGITS_MAX, PIN_DIGITS_MIN
from protocol.secret import Secret

_LINE_BYTES_MAX = 256


def pin_of(text: str) -> Secret | None:
    """Return the PIN if the text is one by its form: 4 to 12 digits."""
    digits = text.strip()
    good = digits.isascii() and digits.isdigit()
    if not good or not PIN_DIGITS_MIN <= len(digits) <= PIN_DIGITS_MAX:
        return None
    return Secret(digits.encode("ascii"))


async def prompt_for_pin() -> Secret | None:
    """Ask at the terminal's keyboard, without echo; None if the line is no PIN."""
    handle = sys.stdin.fileno()
    before = termios.tcgetattr(handle)
    hidden = [*before]
    hidden[3] &= ~termios.ECHO
    loop, came = asyncio.get_running_loop(), asyncio.Event()
    try:
        # Hidden before it is asked for: what is typed at the very first sight does not show either.
        termios.tcsetattr(handle, termios.TCSAFLUSH, hidden)
        sys.stderr.write("暗証番号 (PIN): ")
        sys.stderr.flush()
        loop.add_reader(handle, came.set)
        await came.wait()
        return pin_of(os.read(handle, _LINE_BYTES_MAX).decode("ascii", errors="replace"))
    finally:
        loop.remove_reader(handle)
        termios.tcsetattr(handle, termios.TCSADRAIN, before)
        sys.stderr.write("\n")
