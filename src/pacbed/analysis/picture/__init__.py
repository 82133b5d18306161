"""What became of a picture between the specimen and the file: defects, saturation, masks, strays, the bright region."""
