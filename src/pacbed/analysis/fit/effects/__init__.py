"""What may have happened to a picture beside the crystal, one file an effect."""
