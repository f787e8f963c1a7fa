"""The city's issuance server: checks card and PIN, issues, releases, and sees deletion through."""
