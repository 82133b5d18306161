"""Training: draws, feeds, loop, export."""
