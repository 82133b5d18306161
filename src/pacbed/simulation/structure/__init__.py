"""The first stage: CIF to slices, on the grid, pitch and planes that suffice (measured)."""
