"""Patterns as direct sums over plane waves, without a rocking table: truths that share no interpolation with a fit."""
