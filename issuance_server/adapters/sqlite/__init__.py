"""The city's database file: journal, projections, register copy and wrapped keys, in SQLite."""
