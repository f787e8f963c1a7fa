"""The signed code on every sheet: what it claims, how it is signed, drawn and read."""
