"""The sign of the exported tilt: PtyRAD's and phaser's forward model with it gives the pattern that we render.

The propagator is written here as their sources state it (`pacbed.analysis.export.first_guess`), on arrays [y, x], and
the crystal has no symmetry at all.
"""

from __future__ import annotations

import numpy as np
import pytest

from pacbed.analysis.export.first_guess import FirstGuess
from pacbed.analysis.fit.parameters import PatternParameters, render_pattern
from pacbed.analysis.result import estimate
from pacbed.crystal.cell import Crystal
from pacbed.crystal.electron import interaction_per_ev_a, mrad_per_inverse_a, wavelength_a
from pacbed.crystal.slicing import slice_potentials
from pacbed.patterns import relative_l2
from pacbed.simulation.rendering.renderer import Renderer
from pacbed.simulation.table.gather import gather_rocking_table
from pacbed.simulation.table.rocking_block import simulate_rocking_block
from pacbed.simulation.table.rocking_table import RockingTable
from pacbed.simulation.table.settings import TableSettings

ENERGY_EV, CELL_A, DEPTH_A, PERIODS = 200e3, 4.1, 3.9, 20
ALPHA_MRAD, MISTILT_MRAD = 9.3, (3.0, 1.7)
DIVIDED = 6  # pixels from one reflection to the next
PIXEL_MRAD = mrad_per_inverse_a(ENERGY_EV) / CELL_A / DIVIDED
SIDE = 5 * DIVIDED + 1


@pytest.fixture(scope="module")
def slices():
    cell = np.diag([CELL_A, CELL_A, DEPTH_A])
    fractional = np.array([[0.05, 0.1, 0.0], [0.55, 0.35, 0.5], [0.2, 0.75, 0.5]])
    displacement = np.array([np.diag([0.004, 0.008, 0.006])] * 3)
    crystal = Crystal(cell, ["Sr", "Ti", "O"], fractional @ cell, np.ones(3), displacement, "OSrTi", "polar")
    return slice_potentials(crystal, zone_axis=(0, 0, -1), energy_ev=ENERGY_EV, grid=(28, 28), slices=2)


@pytest.fixture(scope="module")
def renderer(slices, tmp_path_factory):
    folder = tmp_path_factory.mktemp("polar")
    (folder / "structure").mkdir()
    slices.save(folder / "structure")
    settings = TableSettings(
        thickness_max_nm=PERIODS * DEPTH_A / 10,
        cone_mrad=ALPHA_MRAD + 4,
        field_mrad=30.0,
        direction_pitch_mrad=0.5,
        propagator="fresnel",
        batch=64,
    )
    simulate_rocking_block(folder / "structure", settings, block=0, blocks=1, out_dir=folder / "block")
    gather_rocking_table([folder / "block"], folder / "rocking")
    return Renderer(RockingTable.load(folder / "rocking"))


def parameters(rotation_deg=0.0):
    middle = (SIDE - 1) / 2
    return PatternParameters(
        PERIODS * DEPTH_A / 10, MISTILT_MRAD, (middle, middle), PIXEL_MRAD, rotation_deg, ALPHA_MRAD, 0.0
    )


def guess_of(at, *, mirrored):
    x, y = at.mistilt_in_image(mirrored=mirrored)
    return FirstGuess(estimate(at.thickness_nm, 0.1), estimate(float(x), 0.1), estimate(float(y), 0.1))


def their_pattern(slices, tilt_yx_mrad, turned):
    """Position average of their forward model: plane waves of the aperture one by one, through slices [y, x].

    Parameters
    ----------
    turned : callable
        What the camera's orientation does to an array [y, x].
    """
    objects = [
        turned(np.exp(1j * interaction_per_ev_a(ENERGY_EV) * potential - absorption).T)
        for potential, absorption in zip(slices.potential, slices.absorption, strict=True)
    ]
    side = objects[0].shape[0]
    index = np.fft.fftfreq(side, 1 / side)
    steps = np.arange(-(SIDE // 2), SIDE // 2 + 1)
    row, column = (axis.ravel() for axis in np.meshgrid(steps, steps, indexing="ij"))
    inside = np.hypot(row, column) * PIXEL_MRAD < ALPHA_MRAD
    row, column = row[inside], column[inside]  # of the incident plane waves, on the pixels of the pattern
    ky = (row[:, None, None] / DIVIDED + index[None, :, None]) / CELL_A
    kx = (column[:, None, None] / DIVIDED + index[None, None, :]) / CELL_A
    depth = DEPTH_A / len(objects)
    ty, tx = np.tan(np.array(tilt_yx_mrad) * 1e-3)
    propagator = np.exp(-1j * np.pi * wavelength_a(ENERGY_EV) * depth * (ky**2 + kx**2))
    propagator = propagator * np.exp(2j * np.pi * depth * (ky * ty + kx * tx)) * (ky**2 + kx**2 < slices.band_limit**2)
    wave = np.ones((len(row), side, side), dtype=complex)
    for _ in range(PERIODS):
        for sheet in objects:
            wave = np.fft.ifft2(propagator * np.fft.fft2(wave * sheet))
    intensity = np.abs(np.fft.fft2(wave) / side**2) ** 2
    pattern = np.zeros((SIDE, SIDE))
    for h in range(-5, 6):
        for k in range(-5, 6):
            y, x = row + DIVIDED * h + SIDE // 2, column + DIVIDED * k + SIDE // 2
            seen = (y >= 0) & (y < SIDE) & (x >= 0) & (x < SIDE)
            np.add.at(pattern, (y[seen], x[seen]), intensity[seen, h, k])
    return pattern / (np.pi * (ALPHA_MRAD / PIXEL_MRAD) ** 2)


def clockwise(array):
    """A quarter turn about the pixel of the origin, which is the first."""
    return np.roll(np.rot90(array, k=-1), 1, axis=1)


def upside_down(array):
    return np.roll(np.flipud(array), 1, axis=0)


@pytest.mark.parametrize(
    ("rotation_deg", "mirrored", "turned"),
    [(0.0, False, np.asarray), (90.0, False, clockwise), (0.0, True, upside_down)],
    ids=["as it is", "turned", "mirrored"],
)
def test_their_forward_model_with_our_tilt_gives_our_pattern(slices, renderer, rotation_deg, mirrored, turned):
    at = parameters(rotation_deg)
    ours = render_pattern(renderer, at, at.geometry((SIDE, SIDE), mirrored=mirrored), edge_mrad=0.0)
    y, x = guess_of(at, mirrored=mirrored).tilt_yx_mrad
    right = their_pattern(slices, (y, x), turned)
    assert right.sum() == pytest.approx(ours.sum(), rel=0.02)
    assert relative_l2(right, ours) < 1e-3
    for wrong in ((-y, -x), (x, y), (-y, x), (y, -x), (0.0, 0.0)):
        assert relative_l2(their_pattern(slices, wrong, turned), ours) > 0.02
