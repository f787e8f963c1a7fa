"""Keeps what the judge has in memory out of core files and other processes' sight."""

import ctypes
import logging
import resource
import sys

_PR_SET_DUMPABLE = 4  # linux/prctl.h


def harden() -> None:
    """Allow no core file, no debugger of the same user, and no log of any library.

    Elsewhere than on Linux only the first and the last are done. That the memory is never swapped
    is for the machine's administrator (encrypted swap or none).
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    logging.disable(logging.CRITICAL)
    if sys.platform == "linux":
        _forbid_dumping()


def _forbid_dumping() -> None:
    try:
        prctl = ctypes.CDLL(None).prctl
    except (OSError, AttributeError):
        return  # a C library without prctl; the limit on core files stands
    prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
