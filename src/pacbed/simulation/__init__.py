"""From slices to patterns: the seven rooms of the simulation, and nothing besides."""
