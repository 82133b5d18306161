"""How atoms scatter electrons: at rest, and in the thermal mean."""
