"""Drives the pure core: journal first, then send. The only caller of ``Switch.step``."""
