"""The city's commands: cards, issuances, audit."""
