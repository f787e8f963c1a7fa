"""Replays telegram traces as a client against a live city."""
