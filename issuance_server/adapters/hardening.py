"""Keeps what a process has in memory out of core files, other processes' sight and library logs.

Every process that holds keys, PINs or records of people calls it first: server, PIN judge,
renderers, verification page. There is no switch against it. A test that has to read a server's
memory starts ``tests/processes/open_server.py``; ``strace`` and ``gdb`` still trace what they start
themselves.
"""

import ctypes
import logging
import resource
import sys

_PR_SET_DUMPABLE = 4  # linux/prctl.h


def harden() -> None:
    """Allow no core file, and no other process of the same account to look into this one.

    The first is passed on to children; the second is not, for it ends with ``exec``. Elsewhere than
    on Linux only the first is done. That the memory is never swapped is for the machine's
    administrator (encrypted swap or none).
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        _forbid_dumping()


def silence_libraries() -> None:
    """Let no library log, for its texts may hold what nobody may read."""
    logging.disable(logging.CRITICAL)


def _forbid_dumping() -> None:
    try:
        prctl = ctypes.CDLL(None).prctl
    except (OSError, AttributeError):
        return  # a C library without prctl; the limit on core files stands
    prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
