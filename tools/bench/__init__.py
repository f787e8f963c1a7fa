"""Measures what things cost; run it with ``make bench`` or ``python -m tools.bench``."""
