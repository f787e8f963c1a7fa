"""Programs that keep the checkout in order; run as ``python -m tools.NAME``."""
