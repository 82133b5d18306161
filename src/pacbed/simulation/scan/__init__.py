"""The second engine: rasters of real probes by abTEM; knows no table."""
