"""Plane waves through slices: transforms, propagators, frozen phonons."""
