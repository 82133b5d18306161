"""The labelled patterns on the parameter grid, from either engine."""
