"""The rocking table: directions, blocks, spline coefficients, file."""
