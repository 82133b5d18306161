"""Error against noise, the smallest error physics allows, the demo's summary."""
