"""Advice before the experiment: which convergence angle tells thickness and mistilt best, and how well."""
