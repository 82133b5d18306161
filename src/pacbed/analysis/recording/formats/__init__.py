"""File formats: who can read a file by what is in it, and one reader a family."""
