"""The library of rendered patterns of a convergence angle, and a recorded pattern matched with it."""
