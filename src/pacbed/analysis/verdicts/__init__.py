"""What speaks against a result, by where it comes from."""
