"""Bloch waves against the plane-wave engine: silicon [111] at 80 kV, with and without higher-order Laue zones.

abTEM's Bloch-wave module diagonalises the many-beam equations in three dimensions and knows no slices. Run
``python benchmarks/bloch.py`` to draw docs/images/bloch.png and to print the figures that docs/physics.md quotes.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import abtem
import numpy as np
from abtem.bloch import StructureFactor
from abtem.bloch.dynamical import calculate_dynamical_scattering, calculate_structure_matrix
from abtem.bloch.utils import calculate_g_vec, excitation_errors
from ase.cell import Cell
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from pacbed.crystal.cell import Crystal
from pacbed.crystal.electron import mrad_per_inverse_a, wavelength_a
from pacbed.crystal.lattice import cone_nodes
from pacbed.crystal.orientation import orient
from pacbed.crystal.slicing import slice_potentials
from pacbed.simulation.multislice.plane_wave import PlaneWaveEngine

ENERGY_EV = 80e3
PICTURE = Path(__file__).parents[1] / "docs" / "images" / "bloch.png"
LARGEST_G = 3.0  # of the beams in the Bloch-wave calculation [1/Å]
NO_FACTOR = 1e-9  # structure factors below this belong to reflections that the lattice forbids
SLICES = 24


def silicon() -> Crystal:
    """Silicon seen along [111], with the isotropic vibrations of room temperature (B = 0.46 Å^2)."""
    corners = np.array([[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])
    fractional = np.concatenate([corners, corners + 0.25])
    cell = 5.431 * np.eye(3)
    displacement = np.array([0.46 / (8 * np.pi**2) * np.eye(3)] * 8)
    return orient(Crystal(cell, ["Si"] * 8, fractional @ cell, np.ones(8), displacement, "Si", "silicon"), (1, 1, 1))


def bloch_intensities(
    crystal: Crystal,
    beams: np.ndarray,
    thicknesses_a: np.ndarray,
    *,
    tilt_mrad: tuple[float, float] = (0.0, 0.0),
    layers: float | None = 1.5,
    paraxial: bool = False,
) -> np.ndarray:
    """Intensities of beams from abTEM's Bloch waves.

    Parameters
    ----------
    crystal : Crystal
        Oriented cell with isotropic displacements.
    beams : ndarray of int, shape (beam, 2)
        Indices h, k; reflections of all layers l that share them add up at the exit surface.
    thicknesses_a : ndarray, shape (thickness,)
        Whole periods [Å].
    tilt_mrad : tuple of float
        Incident direction (x, y) [mrad].
    layers : float or None
        How many layers of the reciprocal lattice on either side of the Ewald sphere take part at each h, k (the lattice
        of silicon [111] has every third); None takes the zeroth Laue zone alone.
    paraxial : bool
        abTEM's own excitation errors of the wave equation, which is the one that the Fresnel propagator solves.
        Otherwise the exact ones; abTEM's form of these drops the square of the Bloch waves' gamma, which alone changes
        the beams by up to 2 % here.

    Returns
    -------
    ndarray, shape (thickness, beam)
    """
    atoms, sigma = crystal.to_atoms(), float(np.sqrt(crystal.displacement[0, 0, 0]))
    with abtem.config.set({"precision": "float64"}):
        factors = StructureFactor(
            atoms, g_max=2 * LARGEST_G + 1.0, thermal_sigma=sigma, cutoff="hard", centering="P"
        ).build(lazy=False)
        cell = Cell(np.asarray(atoms.cell) @ _towards_z(tilt_mrad).T)
        across = np.linalg.norm(calculate_g_vec(factors.hkl, atoms.cell)[:, :2], axis=1)
        g = calculate_g_vec(factors.hkl, cell)
        error = excitation_errors(g, ENERGY_EV, use_wave_eq=True) if paraxial else _exact_excitation_errors(g)
        near = factors.hkl[:, 2] == 0 if layers is None else np.abs(error) < 3 * layers / crystal.cell[2, 2]
        kept = near & (across < LARGEST_G) & (np.abs(factors.array) > NO_FACTOR)
        hkl = factors.hkl[kept]
        matrix = calculate_structure_matrix(
            factors.array, factors.hkl, hkl, cell, ENERGY_EV, factors.gpts, use_wave_eq=True
        )
        np.fill_diagonal(matrix, 2 * error[kept] / wavelength_a(ENERGY_EV))
        amplitudes = calculate_dynamical_scattering(matrix, hkl, cell, ENERGY_EV, thicknesses_a, use_wave_eq=True)
    sums = [amplitudes[:, np.all(hkl[:, :2] == beam, axis=1)].sum(axis=1) for beam in beams]
    return np.abs(np.array(sums).T) ** 2


def _exact_excitation_errors(g: np.ndarray) -> np.ndarray:
    """Distance along the beam from reflections g, shape (n, 3), to the Ewald sphere [1/Å]."""
    wavenumber = 1 / wavelength_a(ENERGY_EV)
    return np.asarray(np.sqrt(wavenumber**2 - np.sum(g[:, :2] ** 2, axis=1)) - wavenumber - g[:, 2])


def _towards_z(tilt_mrad: tuple[float, float]) -> np.ndarray:
    """Rotation that brings the incident direction onto +z (Rodrigues)."""
    x, y = np.sin(1e-3 * np.array(tilt_mrad))
    z = np.sqrt(1 - x * x - y * y)
    skew = np.array([[0, 0, -x], [0, 0, -y], [x, y, 0]])
    return np.eye(3) + skew + skew @ skew / (1 + z)


def engine_intensities(
    crystal: Crystal,
    beams: np.ndarray,
    *,
    planes: int,
    periods_per_plane: int,
    tilt_mrad: tuple[float, float] = (0.0, 0.0),
    holz: bool = True,
    propagator: str = "exact",
) -> np.ndarray:
    """The same from the plane-wave engine, shape (plane, beam), without the entrance surface.

    Without higher-order Laue zones every slice holds the mean of all slices.
    """
    slices = slice_potentials(
        crystal, zone_axis=(1, 1, 1), energy_ev=ENERGY_EV, grid=(28, 28), slices=SLICES, thermal_model="debye_waller"
    )
    if not holz:
        slices = replace(slices, potential=np.repeat(slices.potential.mean(axis=0, keepdims=True), SLICES, axis=0))
    q = np.array([tilt_mrad]) / mrad_per_inverse_a(ENERGY_EV)
    run = PlaneWaveEngine(slices, propagator=propagator).run(
        q, beams=beams, planes=planes, periods_per_plane=periods_per_plane
    )
    return run.intensity[1:, 0]


def compare(
    *, holz: bool, tilt_mrad: tuple[float, float] = (0.0, 0.0), paraxial: bool = False, layers: float = 1.5
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Beams up to 1.3 / Å, thicknesses [Å] up to 56 nm, and intensities both ways, shape (thickness, beam) each."""
    crystal = silicon()
    beams = cone_nodes(np.linalg.inv(crystal.cell[:2, :2]).T, 1.3)
    thicknesses = np.arange(1, 61) * crystal.cell[2, 2]
    bloch = bloch_intensities(
        crystal, beams, thicknesses, tilt_mrad=tilt_mrad, layers=layers if holz else None, paraxial=paraxial
    )
    engine = engine_intensities(
        crystal, beams, planes=60, periods_per_plane=1, tilt_mrad=tilt_mrad, holz=holz,
        propagator="fresnel" if paraxial else "exact",
    )  # fmt: skip
    return beams, thicknesses, bloch, engine


def relative_l2(found: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """Relative L2 over all beams, one figure for each thickness."""
    return np.asarray(np.linalg.norm(found - expected, axis=1) / np.linalg.norm(expected, axis=1))


def main() -> None:
    """Draw the picture and print the figures."""
    figure = Figure(figsize=(11, 3.8), layout="constrained")
    FigureCanvasAgg(figure)
    shown = {(0, 0): "000", (1, 1): "220 type", (3, 0): "422 type"}
    axes = figure.subplots(1, 2, sharey=True)
    for axis, tilt in zip(axes, ((0.0, 0.0), (6.0, -4.0)), strict=True):
        results = {}
        for holz in (True, False):
            beams, thicknesses, bloch, engine = compare(holz=holz, tilt_mrad=tilt, layers=2.5)
            results[holz] = engine
            print(f"tilt {tilt}, HOLZ {holz}: relative L2 at most {relative_l2(engine, bloch).max():.1e}")
            for colour, (beam, label) in enumerate(shown.items()):
                column = int(np.flatnonzero(np.all(beams == beam, axis=1))[0])
                style = "-" if holz else "--"
                name = f"{label}, {'all zones' if holz else 'zeroth zone alone'}"
                axis.plot(thicknesses / 10, engine[:, column], style, color=f"C{colour}", lw=1.2, label=name)
                axis.plot(thicknesses[::3] / 10, bloch[::3, column], "o", color=f"C{colour}", ms=3, mfc="none")
        print(f"tilt {tilt}: HOLZ changes the beams by up to {relative_l2(results[False], results[True]).max():.1e}")
        axis.set(xlabel="thickness (nm)", title=f"incident direction {tilt} mrad", yscale="log", ylim=(1e-4, 1.1))
    axes[0].set_ylabel("fraction of the beam")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside right center", fontsize=8)
    figure.suptitle("Si [111], 80 kV: plane-wave engine (lines) and Bloch waves (circles)")
    figure.savefig(PICTURE, dpi=110)


if __name__ == "__main__":
    main()
