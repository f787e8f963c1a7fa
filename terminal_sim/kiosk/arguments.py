"""The command line of ``terminal-sim kiosk``; what serves the panel is loaded when it is needed."""

import argparse
from pathlib import Path

HOST = "127.0.0.1"
PORT = 8091
SHEET_MS = 1_500
"""A real machine says that printing may take two minutes."""
_SHEET_MS_MAX = 60_000


def add_kiosk_arguments(command: argparse.ArgumentParser) -> None:
    """Add what the panel needs beside its terminal."""
    command.add_argument(
        "--cards", required=True, type=Path, metavar="DIR", help="sample cards that lie ready"
    )
    command.add_argument(
        "--show",
        default="",
        metavar="NAME,…",
        help="names of the cards that lie ready, without .card.json; default: the first ones",
    )
    command.add_argument(
        "--notes",
        type=Path,
        metavar="FILE",
        help="README.md of a sample city: its table of PINs is shown beside the cards",
    )
    command.add_argument(
        "--out", required=True, type=Path, metavar="DIR", help="the tray: where the paper lies"
    )
    command.add_argument(
        "--sheet-ms",
        type=_sheet_ms,
        default=SHEET_MS,
        metavar="MS",
        help="how long the printer takes for a sheet (%(default)s)",
    )
    command.add_argument("--host", default=HOST, help="address to listen on (%(default)s)")
    command.add_argument(
        "--port", type=_port, default=PORT, help="TCP port; 0 for any that is free (%(default)s)"
    )


def _sheet_ms(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > _SHEET_MS_MAX:
        raise argparse.ArgumentTypeError(f"from 0 to {_SHEET_MS_MAX}")
    return int(text)


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port <= 65_535:  # noqa: PLR2004  # TCP has no more
        raise argparse.ArgumentTypeError("from 0 to 65535")
    return port
