"""Bundles from elsewhere, looked at before anything opens them: container, arrays, networks."""
