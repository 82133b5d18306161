"""Pictures of a crystal: its cell, and its projection along the beam."""
