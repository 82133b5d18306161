"""Scans of known truth: rendered wedges with all that a map has to cope with, and maps compared with them."""
