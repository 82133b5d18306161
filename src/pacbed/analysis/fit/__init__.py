"""Forward model, library match, least squares."""
