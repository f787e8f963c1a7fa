"""The pure core: ``step(state, input, now) -> effects``; no clock, file, socket or log."""
