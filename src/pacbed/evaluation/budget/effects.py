"""What the simulation of a crystal does not know, and the crystal varied by each effect."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from pacbed.config.sections import ModelErrorConfig
from pacbed.crystal.cell import Crystal
from pacbed.crystal.potentials import SlicePotentials
from pacbed.crystal.slicing import slice_potentials
from pacbed.evaluation.budget.inelastic import mean_free_path_nm

BONDED_PER_A = (0.4, 0.6)  # |g| up to which bonding changes structure factors fully, and from which on not at all
INELASTIC = "inelastic"


@dataclass(frozen=True)
class Effect:
    """One thing the simulation does not know.

    Attributes
    ----------
    name : str
    size : float
        How much is varied.
    unit : str
    source : str
        Why this much.
    counted : bool
        Part of the budget; otherwise an outer bound for the reader.
    signs : tuple of int
        Directions in which it is varied.
    """

    name: str
    size: float
    unit: str
    source: str
    counted: bool = True
    signs: tuple[int, ...] = (1,)

    def facts(self) -> dict[str, Any]:
        """What a reader of the budget is told."""
        keys = ("size", "unit", "source", "counted", "signs")
        return {key: getattr(self, key) for key in keys} | {"signs": list(self.signs)}

    def variants(self) -> list[Variant]:
        """Each direction in which the crystal is varied."""
        if len(self.signs) == 1:
            return [Variant(self.name, self, self.signs[0])]
        return [Variant(f"{self.name}_{'plus' if sign > 0 else 'minus'}", self, sign) for sign in self.signs]


class Variant(NamedTuple):
    """A crystal varied by one effect in one direction.

    Attributes
    ----------
    name : str
    effect : Effect
    sign : int
        1 or -1.
    """

    name: str
    effect: Effect
    sign: int


def effects_of(oriented: Crystal, slices: SlicePotentials, choices: ModelErrorConfig) -> list[Effect]:
    """All effects that apply to a crystal.

    Parameters
    ----------
    oriented : Crystal
        Output of `orient`.
    slices : SlicePotentials
        The system's own slices.
    choices : ModelErrorConfig
        Says by how much each is varied.
    """
    other = _other_table(slices.parametrization)
    path_nm = mean_free_path_nm(oriented, slices.energy_ev / 1e3)
    # ASSUME: the high tension is right to 0.2 %; HOLZ lines tell better (Zuo & Spence, Advanced Transmission Electron
    # Microscopy, 2017), a microscope's display does not.
    # ASSUME: lattice parameters are right to 0.1 %: foils are strained, warm, or slightly off their
    # composition (an estimate).
    # ASSUME: bonded charge changes structure factors below some 0.5/Å by 3 %, all alike. A proxy, not a calculation;
    # that bonding shows in the low-order reflections was measured by Friis et al., Acta Cryst. A60 (2004) 402 (SrTiO3)
    # and Jiang et al., Acta Cryst. A59 (2003) 341 (TiO2).
    return [
        *_thermal_effects(slices, choices),
        Effect("parametrization", 1.0, f"{other} instead of {slices.parametrization}", "two tables of form factors"),
        Effect("high_tension", choices.energy_relative, "of the beam energy", "display against HOLZ lines"),
        Effect("lattice", choices.lattice_relative, "of the lattice parameters", "strain, temperature, composition"),
        Effect(
            "bonding",
            choices.bonding_relative,
            "of structure factors below 0.5/Å",
            "a proxy: all of them alike; bonding measured by Friis et al. 2004 (SrTiO3), Jiang et al. 2003 (TiO2)",
            signs=(-1,),
        ),
        Effect(INELASTIC, path_nm, "nm mean free path", "Malis, Cheng & Egerton 1988, Lorentzian blur"),
    ]


def _thermal_effects(slices: SlicePotentials, choices: ModelErrorConfig) -> list[Effect]:
    """What a thermal model leaves uncertain; atoms at rest and models without absorption have less to vary."""
    # ASSUME: displacement parameters are known to 15 %: spread between refinements, and temperature under
    # the beam (an estimate).
    # ASSUME: the absorption is right to 20 %: correlated vibrations are left out, and higher orders by all models but
    # "thermal_mean" (Hall & Hirsch, Proc. R. Soc. A286 (1965) 158).
    thermal = Effect(
        "debye_waller",
        choices.displacement_relative,
        "of all displacement parameters",
        "spread between refinements, temperature under the beam",
    )
    absorption = Effect(
        "absorption",
        choices.absorption_relative,
        "of the absorptive potential",
        "Einstein atoms (Hall & Hirsch 1965)",
    )
    none = Effect(
        "no_absorption",
        1.0,
        "of the absorptive potential",
        "outer bound: Debye-Waller factors alone",
        counted=False,
        signs=(-1,),
    )
    found = [thermal] if slices.thermal_model != "none" else []
    return [*found, absorption, none] if np.any(slices.absorption) else found


def varied_slices(variant: Variant, oriented: Crystal, slices: SlicePotentials) -> SlicePotentials:
    """Slice potentials of the varied crystal.

    Parameters
    ----------
    variant : Variant
        Of any effect but the inelastic one.
    oriented : Crystal
        The crystal that `slices` were made from.
    slices : SlicePotentials
        The system's own slices.
    """
    effect, change = variant.effect, variant.sign * variant.effect.size
    factor = 1 + change
    match effect.name:
        case "debye_waller":
            return _rebuilt(replace(oriented, displacement=oriented.displacement * factor), slices)
        case "absorption" | "no_absorption":
            return replace(slices, absorption=slices.absorption * np.float32(factor))
        case "parametrization":
            return _rebuilt(oriented, slices, parametrization=_other_table(slices.parametrization))
        case "high_tension":
            return _rebuilt(oriented, slices, energy_ev=slices.energy_ev * factor)
        case "lattice":
            larger = replace(oriented, cell=oriented.cell * factor, positions=oriented.positions * factor)
            return _rebuilt(larger, slices)
        case "bonding":
            return replace(slices, potential=_scaled_at_low_angles(slices, change))
    raise ValueError(f"effect: got {effect.name!r}, accepted: one that changes the crystal")


def _other_table(parametrization: str) -> str:
    return "kirkland" if parametrization == "lobato" else "lobato"


def _rebuilt(
    oriented: Crystal, slices: SlicePotentials, *, energy_ev: float | None = None, parametrization: str | None = None
) -> SlicePotentials:
    return slice_potentials(
        oriented,
        zone_axis=slices.zone_axis,
        energy_ev=energy_ev or slices.energy_ev,
        grid=slices.grid,
        slices=len(slices.potential),
        thermal_model=slices.thermal_model,
        parametrization=parametrization or slices.parametrization,
    )


def _scaled_at_low_angles(slices: SlicePotentials, change: float) -> np.ndarray:
    """Potential with its Fourier coefficients changed by a share at low angles, see `BONDED_PER_A`."""
    index = np.meshgrid(*(np.fft.fftfreq(n, 1 / n) for n in slices.grid), indexing="ij")
    g = np.linalg.norm(np.stack(index, axis=-1) @ slices.reciprocal, axis=-1)
    low, high = BONDED_PER_A
    share = np.cos(0.5 * np.pi * np.clip((g - low) / (high - low), 0, 1)) ** 2
    coefficients = np.fft.fft2(slices.potential) * (1 + change * share)
    return np.ascontiguousarray(np.fft.ifft2(coefficients).real, dtype=np.float32)
