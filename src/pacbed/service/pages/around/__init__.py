"""Pages around a look-up: what can be measured, what was, how much is left, and what the operator sees."""
