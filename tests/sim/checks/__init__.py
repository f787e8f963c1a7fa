"""Checkers: witnesses of what happens at the edges of a world, one for each group of rules."""
