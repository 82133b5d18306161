"""Which bundles are served, and which one a request means."""
