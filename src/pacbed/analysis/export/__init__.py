"""First guesses for electron ptychography: thickness, slices and tilt in the words of its programs."""
