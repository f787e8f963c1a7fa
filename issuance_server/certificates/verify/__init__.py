"""Tells a certificate from what is none: by its signed codes, its text, and the city's records."""
