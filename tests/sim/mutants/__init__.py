"""Planted bugs: each a patch against the product, and what finds it.

``python -m tests.sim.mutants`` copies the packages to a temporary folder, applies one patch, and
lets the explorer or the simulation look for a rule that is broken, until the first one is found.
"""
