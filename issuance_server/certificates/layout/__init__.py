"""How certificates look: the grid of each form, its labels, the seal and the tint."""
