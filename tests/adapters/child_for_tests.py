"""A child that does what the tests ask it to do."""

import argparse
import asyncio
import os
import signal
import socket
import sys
from pathlib import Path

from issuance_server.adapters import child_serve, frames
from protocol.errors import SetUpError

HANG_UP_S_MAX = 60


async def answer(request: bytes) -> bytes:
    """Do what ``request`` says: ``echo:TEXT`` or one of a few words."""
    match request.partition(b":"):
        case (b"echo", _, text):
            return text
        case (b"wait for ever", _, _):
            await asyncio.Event().wait()
        case (b"refuse", _, _):
            raise SetUpError("not today")
        case (b"bug", _, _):
            raise ZeroDivisionError
        case (b"pid", _, _):
            return b"%d" % os.getpid()
        case (b"open files", _, _):
            return b"%d" % sum(1 for fd in range(3, 200) if is_open(fd))
        case (b"long answer", _, _):
            return bytes(frames.FRAME_BYTES_MAX)
        case (b"hang up", _, _):
            socket.socket(fileno=os.dup(FD)).shutdown(socket.SHUT_RDWR)
            signal.alarm(HANG_UP_S_MAX)  # if no test ends it
            signal.pause()
        case (b"announce too much", _, _):
            os.write(FD, b"\xff\xff\xff\xff")
            await asyncio.Event().wait()
    raise ValueError(request)


def is_open(fd: int) -> bool:
    """Say whether ``fd`` is an open socket or file that the event loop did not make itself."""
    try:
        return "anon_inode" not in str(Path(f"/proc/self/fd/{fd}").readlink())
    except OSError:
        return False


parser = argparse.ArgumentParser()
parser.add_argument("--fd", type=int, required=True)
parser.add_argument("--die-at-start", action="store_true")
parser.add_argument("--under-way-max", type=int, default=child_serve.UNDER_WAY_MAX)
options = parser.parse_args()
FD: int = options.fd
child_serve.FAREWELL_WAIT_MS_MAX = 100
child_serve.UNDER_WAY_MAX = options.under_way_max
if options.die_at_start:
    sys.exit(7)
asyncio.run(child_serve.serve(FD, answer))
