"""One change of a table."""

from typing import TypeAlias

Statement: TypeAlias = tuple[str, tuple[object, ...]]
"""SQL text and its values."""
