"""Recipe paper: the patterns of the stack, augmented as in table 1 of the paper."""
