"""What each certificate says (content) and how it looks (layout)."""
