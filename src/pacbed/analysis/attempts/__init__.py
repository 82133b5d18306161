"""Fits of one pattern: where they start, and which way round the crystal lies."""
