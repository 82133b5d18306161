"""Processes that compute, in fair turns, watched and replaced."""
