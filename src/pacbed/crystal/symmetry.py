"""Symmetry operations of a crystal, from spglib."""

from __future__ import annotations

import numpy as np
import spglib
import spglib.error

from pacbed.crystal.cell import Crystal
from pacbed.errors import StructureError

spglib.error.OLD_ERROR_HANDLING = False  # raise instead of returning None


def symmetry_operations(crystal: Crystal, *, tolerance_a: float = 1e-3) -> list[tuple[np.ndarray, np.ndarray]]:
    """Rotations (3, 3) and translations (3,) acting on fractional coordinates; displacements are not looked at."""
    try:
        cell = (crystal.cell.tolist(), crystal.fractional.tolist(), crystal.site_types().tolist())
        found = spglib.get_symmetry(cell, symprec=tolerance_a)
    except spglib.error.SpglibError as error:
        raise StructureError(f"{crystal.source}: spglib finds no symmetry ({error})") from error
    assert found is not None  # with the new error handling
    return list(zip(found["rotations"], found["translations"], strict=True))
