"""Commands of the look-up service."""
