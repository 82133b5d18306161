"""Table to pattern: one, or a thickness series."""
