"""The back of a sheet: its face, encrypted into a picture, and how that is read again."""
