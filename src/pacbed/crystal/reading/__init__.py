"""What a CIF file says of a crystal: read as written, put right where only one reading is possible, else refused."""
