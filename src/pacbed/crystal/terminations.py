"""Slabs of one crystal whose surfaces differ but are equivalent by symmetry."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from pacbed.crystal.potentials import SlicePotentials
from pacbed.errors import SimulationError


def termination_slices(slices: SlicePotentials, termination: str) -> list[SlicePotentials]:
    """Slice potentials of every slab that a rocking table is the mean of.

    A screw axis or glide plane with a lift of l periods turns a slab that starts at -l into one that starts at 0: the
    same slices, from another one on.

    Parameters
    ----------
    slices : SlicePotentials
        One period of the crystal.
    termination : {"top", "average"}
        The slab itself, or all equivalent ones.

    Raises
    ------
    SimulationError
        An equivalent slab starts between two slices.
    """
    if termination == "top":
        return [slices]
    count, found = len(slices.potential), []
    for lift in slices.termination_lifts:
        first = round(float(lift) * count)
        if abs(lift * count - first) > 1e-3:
            raise SimulationError(
                f"termination: got average with {count} slices per period and a surface {lift:.4f} periods up, "
                "accepted: a slice_depth_nm that puts a slice there, or termination top"
            )
        turned = {name: np.roll(getattr(slices, name), first, axis=0) for name in ("potential", "absorption")}
        found.append(replace(slices, **turned))
    return found
