"""Multicopy machines: a pure terminal and the devices around it."""
