"""What the model's uncertainties are worth in thickness."""
