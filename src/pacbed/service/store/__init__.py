"""What is kept: look-ups, tokens, which bundles were served; files beside a database."""
