"""From an oriented crystal to slice potentials, in reciprocal space."""

from __future__ import annotations

import numpy as np

from pacbed.crystal.beam_group import beam_group
from pacbed.crystal.cell import Crystal, require_displacements
from pacbed.crystal.electron import interaction_per_ev_a
from pacbed.crystal.orientation import PARALLEL
from pacbed.crystal.potentials import SlicePotentials
from pacbed.crystal.scattering.form_factors import absorptive_coefficient, projected_coefficient
from pacbed.crystal.scattering.thermal_mean import mean_transmission

ALL_ORDERS = ("thermal_mean", "frozen_phonons")
FAINTEST = 1e-6  # transmission whose logarithm is still taken


def slice_potentials(
    oriented: Crystal,
    *,
    zone_axis: tuple[int, int, int],
    energy_ev: float,
    grid: tuple[int, int],
    slices: int,
    thermal_model: str = "thermal_mean",
    parametrization: str = "lobato",
) -> SlicePotentials:
    """Projected potentials of equally deep slices of one period.

    Each atom goes whole into the nearest of the planes z = i depth:
    sum over sites of occupancy f_e(g) exp(-2 pi^2 g^T U g) exp(-2 pi i g.r). Oblique in-plane cells, partial
    occupancy and absorption cost nothing extra.

    Where no lattice plane is normal to the beam (see `orient`), slices are sheared: z' = z - slope.(x, y) is constant
    on each and takes the place of z. It is the third fractional coordinate times the period.

    Parameters
    ----------
    oriented : Crystal
        Output of `orient`.
    zone_axis : tuple of int
        Kept as a label.
    energy_ev : float
        Kinetic energy of the electrons [eV].
    grid : tuple of int
        Grid points along the two in-plane vectors.
    slices : int
        Slices per period.
    thermal_model : {"thermal_mean", "debye_waller_absorptive", "debye_waller", "frozen_phonons", "none"}
        Thermal mean of the transmission functions to all orders, which is the elastic channel of displaced atoms and
        what "frozen_phonons" stores as well; or smearing of the potential alone, with the absorption it causes to
        second order or without it.
    parametrization : {"lobato", "kirkland"}
        Table of form factors.

    Returns
    -------
    SlicePotentials
    """
    # ASSUME: partially occupied sites are occupied at random: "thermal_mean" takes the mean over the occupants, which
    # leaves out what their disorder scatters diffusely; the others have their mean potential (virtual crystal,
    # Nordheim 1931).
    # ASSUME: an atom acts in the plane of its slice (infinite projection, as abTEM's default; Kirkland 2010, ch. 6).
    require_displacements(oriented, thermal_model)
    real, imaginary = _projected(oriented, (slices, *grid), energy_ev, thermal_model, parametrization)
    if thermal_model in ALL_ORDERS:
        virtual = thermal_model == "frozen_phonons"
        real, imaginary = _all_orders(oriented, real, energy_ev, parametrization, virtual=virtual)
    return SlicePotentials(
        potential=real,
        absorption=imaginary,
        cell_a=oriented.cell[:2, :2],
        slice_depth_a=float(oriented.cell[2, 2] / slices),
        energy_ev=float(energy_ev),
        group=beam_group(oriented),
        formula=oriented.formula,
        zone_axis=zone_axis,
        thermal_model=thermal_model,
        parametrization=parametrization,
        source=oriented.source,
        slope=_slope(oriented.cell),
    )


def _projected(
    oriented: Crystal, shape: tuple[int, int, int], energy_ev: float, thermal_model: str, parametrization: str
) -> tuple[np.ndarray, np.ndarray]:
    """Sums over the sites: smeared potential, and absorption where the model has it; (slice, x, y) each."""
    cell, fractional = oriented.cell[:2, :2], oriented.fractional
    frequencies, g, kept = _frequencies(cell, shape[1:])
    potential = np.zeros(shape, dtype=complex)
    absorption = np.zeros_like(potential)
    length = np.linalg.norm(g, axis=-1)
    for index, symbol in enumerate(oriented.symbols):
        level = slice_level(fractional[index, 2], shape[0])
        phase = np.exp(-2j * np.pi * (frequencies @ fractional[index, :2])) * oriented.occupancy[index]
        tensor = oriented.displacement[index][:2, :2]
        damping = 1.0
        if thermal_model != "none":
            damping = np.exp(-2 * np.pi**2 * np.einsum("xyi,ij,xyj->xy", g, tensor, g))
        potential[level] += phase * damping * projected_coefficient(symbol, length, parametrization)
        if thermal_model == "debye_waller_absorptive":
            mean_square = float(np.trace(tensor) / 2)
            absorption[level] += phase * absorptive_coefficient(symbol, length, mean_square, energy_ev, parametrization)
    scale = shape[1] * shape[2] / abs(np.linalg.det(cell))
    return _real(potential * kept, scale), _real(absorption * kept, scale)


def _all_orders(
    oriented: Crystal, smeared: np.ndarray, energy_ev: float, parametrization: str, *, virtual: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Potential and absorption whose transmission functions are the thermal means, shape (slice, x, y) each."""
    slices, sigma = len(smeared), interaction_per_ev_a(energy_ev)
    levels = np.array([slice_level(height, slices) for height in oriented.fractional[:, 2]])
    grid = (smeared.shape[1], smeared.shape[2])
    mean = mean_transmission(
        oriented, levels, grid=grid, slices=slices, energy_ev=energy_ev, parametrization=parametrization,
        virtual=virtual,
    )  # fmt: skip
    # The phase is that of the smeared potential but for a small rest, which cannot wrap.
    rest = np.angle(mean * np.exp(-1j * sigma * smeared.astype(float)))
    return (smeared + rest / sigma).astype(np.float32), (-np.log(np.maximum(np.abs(mean), FAINTEST))).astype(np.float32)


def slice_level(height: float, slices: int) -> int:
    """Slice of an atom at a fractional height: the nearest of the planes z = i depth."""
    return round(float(height) * slices) % slices


def _slope(cell: np.ndarray) -> np.ndarray:
    """Slope of the plane of the first two lattice vectors, shape (2,); what `orient` tolerates counts as none."""
    slope = np.linalg.solve(cell[:2, :2], cell[:2, 2])
    return slope if np.abs(slope).max() > 3 * PARALLEL else np.zeros(2)


def _frequencies(cell: np.ndarray, grid: tuple[int, int]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Integer frequencies (x, y, 2), Cartesian g (x, y, 2) [1/Å], and False at the unpaired Nyquist frequencies."""
    h = np.stack(np.meshgrid(*(np.fft.fftfreq(n, 1 / n) for n in grid), indexing="ij"), axis=-1)
    kept = (np.abs(h[..., 0]) < grid[0] / 2) & (np.abs(h[..., 1]) < grid[1] / 2)
    return h, h @ np.linalg.inv(cell).T, kept


def _real(coefficients: np.ndarray, scale: float) -> np.ndarray:
    return np.ascontiguousarray(np.fft.ifft2(coefficients).real * scale, dtype=np.float32)
