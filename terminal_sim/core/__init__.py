"""The terminal as pure functions: records fold to a state, inputs give effects."""
