"""Writes a day's accounts: one file of issuances, one of sums, both CSV (RFC 4180) in UTF-8.

Texts that a spreadsheet would take for a formula are written with an apostrophe before them. No
row names a person: an issuance stands there by its numbers.
"""

import csv
import io
import os
from collections.abc import Iterable, Sequence
from dataclasses import fields
from pathlib import Path

from issuance_server.adapters.sqlite.day_accounts import AccountRow
from issuance_server.control import wire
from issuance_server.core.calendar import civil
from issuance_server.core.day_counts import Counts
from issuance_server.desk_commands.parsing import day
from protocol.errors import SetUpError

BYTE_ORDER_MARK = "\ufeff"
_FORMULA_BEGINNINGS = frozenset("=+-@\t\r\n＝＋－＠")  # the wide forms are meant
_COUNTS = tuple(field.name for field in fields(Counts))
_DETAIL_COLUMNS = (
    *("day", "issuance", "numbers", "kind", "copies", "chain", "store", "terminal"),
    *("terminal_class", "state", "fee", "collected_yen", "returned_yen", "earned_yen"),
    *("commission_yen", "applied_day", "applied_at", "collected_at", "reported_at", "ended_at"),
)
_TOTAL_COLUMNS = ("day", "scope", "chain", "kind", *_COUNTS)


def totals_path(out: Path) -> Path:
    """Return where the sums stand: beside the issuances."""
    return out.with_name(f"{out.stem}-totals{out.suffix}")


def write_accounts(
    out: Path,
    status: wire.DayStatus,
    rows: Iterable[AccountRow],
    *,
    byte_order_mark: bool,
) -> None:
    """Write both files, or neither.

    Args:
        out: the file of issuances; that of the sums stands beside it.
        status: the day.
        rows: its issuances.
        byte_order_mark: for spreadsheets that take UTF-8 for something else without one.

    Raises:
        SetUpError: a file is there already, or cannot be written.
    """
    commissions = {
        (row.chain, row.kind): row.counts.commission_yen // max(1, row.counts.copies)
        for row in status.kinds
    }
    details = (_detail(status.day or "", row, commissions) for row in rows)
    contents = {
        out: _text(_DETAIL_COLUMNS, details),
        totals_path(out): _text(_TOTAL_COLUMNS, _totals(status)),
    }
    for path in contents:
        if path.exists():
            raise SetUpError(f"{path} is there already; give another name with --out")
    mark = BYTE_ORDER_MARK if byte_order_mark else ""
    written: list[Path] = []
    try:
        for path, text in contents.items():
            part = path.with_name(path.name + ".part")
            written.append(part)
            part.write_text(mark + text, encoding="utf-8", newline="")
        for path, part in zip(contents, written, strict=True):
            os.link(part, path)  # never over a file that came meanwhile
    except OSError as error:
        raise SetUpError(f"{out} cannot be written: {error.strerror}") from error
    finally:
        for part in written:
            part.unlink(missing_ok=True)


def safe(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula."""
    return f"'{text}" if text[:1] in _FORMULA_BEGINNINGS and text else text


def _detail(
    day: str, row: AccountRow, commissions: dict[tuple[str | None, str | None], int]
) -> tuple[object, ...]:
    earned = row.fee == "earned"
    commission_yen = commissions.get((row.chain, row.kind), 0) * row.copies if earned else 0
    return (
        *(day, row.issuance, "; ".join(row.numbers), row.kind, row.copies),
        *(safe(row.chain), safe(row.store), safe(row.terminal), row.terminal_class),
        *(row.state, row.fee),
        0 if row.fee == "none" else row.fee_yen,
        row.fee_yen if row.fee == "returned" else 0,
        row.fee_yen if earned else 0,
        commission_yen,
        row.applied_day,
        *map(_time, (row.applied_at_ms, row.released_at_ms, row.reported_at_ms)),
        _time(row.ended_at_ms),
    )


def _totals(status: wire.DayStatus) -> Iterable[tuple[object, ...]]:
    day = status.day
    for row in status.kinds:
        yield (day, "chain-and-kind", safe(row.chain or ""), row.kind, *_values(row.counts))
    for row in status.chains:
        yield (day, "chain", safe(row.chain or ""), "", *_values(row.counts))
    yield (day, "city", "", "", *_values(status.city))


def _values(counts: Counts) -> tuple[int, ...]:
    return tuple(getattr(counts, name) for name in _COUNTS)


def _text(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    stream = io.StringIO()
    writer = csv.writer(stream)
    writer.writerow(columns)
    writer.writerows(rows)
    return stream.getvalue()


def _time(at_ms: int | None) -> str:
    """Return a real time in Japan to the second, as RFC 3339 writes it."""
    return "" if at_ms is None else civil(at_ms).isoformat(timespec="seconds")


def checked_day(text: str) -> str:
    """Return a day as it sorts.

    Raises:
        argparse.ArgumentTypeError: it is none.
    """
    return day(text).isoformat()
