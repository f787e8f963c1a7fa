"""What a process has in its memory right now. Linux only; the reader must be a parent, or root.

A server hides it from its parent too, unless it is a ``processes.open_server``.
"""

from collections.abc import Iterator
from pathlib import Path

_PAGE_BYTES = 4_096
_NOT_MEMORY = ("[vvar", "[vdso", "[vsyscall")


def memory_of(process: int) -> Iterator[bytes]:
    """Give the written memory of a process, region by region, without its empty pages."""
    empty = bytes(_PAGE_BYTES)
    with Path(f"/proc/{process}/mem").open("rb", buffering=0) as memory:
        for region in _written_regions(process):
            memory.seek(region.start)
            try:
                content = memory.read(len(region))
            except OSError:  # it was given back meanwhile
                continue
            pages = (content[at : at + _PAGE_BYTES] for at in range(0, len(content), _PAGE_BYTES))
            yield b"".join(page for page in pages if page != empty)


def _written_regions(process: int) -> Iterator[range]:
    for line in Path(f"/proc/{process}/maps").read_text().splitlines():
        bounds, rights, *rest = line.split(maxsplit=5)
        if rights.startswith("rw") and not (rest and rest[-1].startswith(_NOT_MEMORY)):
            start, end = (int(bound, 16) for bound in bounds.split("-"))
            yield range(start, end)
