"""The parts of a validation sheet: pictures, curves and text."""
