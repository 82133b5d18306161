"""Crystals that are a little other than the simulated one, as far as its thickness budget says that they may be."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from pacbed.config.sections import ModelErrorConfig
from pacbed.crystal.cell import Crystal
from pacbed.crystal.potentials import SlicePotentials
from pacbed.crystal.slicing import slice_potentials
from pacbed.evaluation.budget.effects import effects_of

DRAWN = ("debye_waller", "absorption", "high_tension", "lattice")
LARGEST = 3.0  # standard deviations of a draw


def drawn_changes(
    oriented: Crystal, slices: SlicePotentials, choices: ModelErrorConfig, *, rng: np.random.Generator
) -> dict[str, float]:
    """Relative changes of a crystal, drawn from normal distributions as wide as the budget's variations.

    Parameters
    ----------
    oriented : Crystal
        The crystal that `slices` were made from, output of `orient`.
    slices : SlicePotentials
        The system's own slices.
    choices : ModelErrorConfig
        Widths.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    dict of str to float
        Of those among `DRAWN` that the crystal has: displacement parameters, absorption, beam energy, lattice.
    """
    sizes = {effect.name: effect.size for effect in effects_of(oriented, slices, choices)}
    drawn = np.clip(rng.standard_normal(len(DRAWN)), -LARGEST, LARGEST)  # as many numbers for every crystal
    return {name: float(z * sizes[name]) for name, z in zip(DRAWN, drawn, strict=True) if name in sizes}


def changed_slices(oriented: Crystal, slices: SlicePotentials, changes: dict[str, float]) -> SlicePotentials:
    """Slice potentials with all changes at once.

    Parameters
    ----------
    oriented, slices
        As for `drawn_changes`.
    changes : dict of str to float
        Relative changes by effect.
    """
    factor = {name: 1 + changes.get(name, 0.0) for name in DRAWN}
    crystal = replace(
        oriented,
        displacement=oriented.displacement * factor["debye_waller"],
        cell=oriented.cell * factor["lattice"],
        positions=oriented.positions * factor["lattice"],
    )
    changed = slice_potentials(
        crystal,
        zone_axis=slices.zone_axis,
        energy_ev=slices.energy_ev * factor["high_tension"],
        grid=slices.grid,
        slices=len(slices.potential),
        thermal_model=slices.thermal_model,
        parametrization=slices.parametrization,
    )
    return replace(changed, absorption=changed.absorption * np.float32(factor["absorption"]))
