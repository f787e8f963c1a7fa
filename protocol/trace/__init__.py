"""Telegram and core traces: what a file of them holds, and what of a telegram may stand in one."""
