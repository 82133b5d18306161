"""Patterns of known truth as microscopes deliver them: degraded in many ways, written to files, answered, counted."""
