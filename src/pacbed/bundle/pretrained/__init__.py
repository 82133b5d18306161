"""Bundles that travel without their table: made slim, found by name, their tables made once and kept."""
