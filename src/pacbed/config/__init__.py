"""The configuration of a system: typed, bounded, and the plan that follows from it."""
