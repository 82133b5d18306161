"""The rendered libraries of a bundle: which one a pattern needs, and where it is kept."""
