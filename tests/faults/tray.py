"""A witness at the trays: counts each sheet as it lands, apart from any process that may die."""

import ctypes
import os
import select
import struct
import threading
from collections import Counter
from pathlib import Path

_MOVED_FROM, _MOVED_TO = 0x40, 0x80  # linux/inotify.h
_EVENT = struct.Struct("iIII")
_PIECE_BYTES = 65_536
_POLL_S = 0.2


class TrayWitness:
    """Sees every sheet that a printer lays: each is a file that is moved onto the paper."""

    def __init__(self, tray: Path) -> None:
        """Look at a tray, which exists, from now on."""
        # Two equal events that nobody has read are one to the kernel: the movement away from the
        # name of a sheet on its way stands between two movements onto the same paper.
        library = ctypes.CDLL(None, use_errno=True)
        self._descriptor = library.inotify_init1(os.O_CLOEXEC)
        if (
            library.inotify_add_watch(self._descriptor, os.fsencode(tray), _MOVED_FROM | _MOVED_TO)
            < 0
        ):
            raise OSError(ctypes.get_errno(), "no witness at the tray")
        self._sheets: Counter[str] = Counter()
        self._stopped = threading.Event()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def sheets(self) -> Counter[str]:
        """Return how many sheets have landed, by the issuance's id in hexadecimal."""
        self._take()
        with self._lock:
            return Counter(self._sheets)

    def close(self) -> None:
        """Look away."""
        self._stopped.set()
        self._thread.join()
        os.close(self._descriptor)

    def _watch(self) -> None:
        while not self._stopped.is_set():
            if select.select([self._descriptor], [], [], _POLL_S)[0]:
                self._take()

    def _take(self) -> None:
        with self._lock:
            while select.select([self._descriptor], [], [], 0)[0]:
                piece = os.read(self._descriptor, _PIECE_BYTES)
                at = 0
                while at < len(piece):
                    _, mask, _, length = _EVENT.unpack_from(piece, at)
                    at += _EVENT.size
                    name = piece[at : at + length].rstrip(b"\0").decode()
                    at += length
                    if mask & _MOVED_TO and name.endswith(".pdf"):
                        self._sheets[name.removesuffix(".pdf")] += 1
