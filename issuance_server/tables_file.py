"""Reads the operator's ``tables.toml`` from the disk; what it says is read in ``core.tables``."""

from pathlib import Path

from issuance_server.core.tables import CityTables
from issuance_server.core.tables.reading import TABLES_BYTES_MAX, read_tables
from protocol.errors import SetUpError


def load_tables(path: Path) -> tuple[bytes, CityTables]:
    """Read a file of tables, and what it says.

    Raises:
        SetUpError: it cannot be read, or is not right; the text names the line and the way out.
    """
    try:
        with path.open("rb") as file:
            content = file.read(TABLES_BYTES_MAX + 1)
    except OSError as error:
        raise SetUpError(f"the tables {path} cannot be read: {error.strerror}") from error
    try:
        return content, read_tables(content)
    except SetUpError as error:
        raise SetUpError(f"the tables {path} are not right: {error}") from None
