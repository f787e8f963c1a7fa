"""Certificates are rendered in worker processes; results come back as bytes, nothing on disk."""
