"""What a look-up leaves: its identity, its crate, and how it is repeated."""
