"""Fixtures of the multislice tests."""

from __future__ import annotations

import pytest

from pacbed.crystal.cell import Crystal
from pacbed.crystal.potentials import SlicePotentials

from .polar import polar_crystal, slices_of


@pytest.fixture(scope="module")
def crystal() -> Crystal:
    """No symmetry, an oblique cell, an anisotropic tensor."""
    return polar_crystal()


@pytest.fixture(scope="module")
def slices(crystal) -> SlicePotentials:
    """Its slices with the thermal mean to all orders."""
    return slices_of(crystal)
