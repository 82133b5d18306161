"""Commands that make, list and shrink bundles."""
