"""Keys: the authority that certifies lines, the stores that hold keys, and their ceremonies."""
