"""Backups of a city, and cities put back from them; the decision is docs/adr/0016."""
