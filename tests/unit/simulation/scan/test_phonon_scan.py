"""Two engines, one physics: plane waves and abTEM's probes through the same displaced atoms.

Displaced atoms have no symmetry, so a wrong sign, axis or shift anywhere fails.
"""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
from abtem.potentials.iam import PotentialArray

from pacbed.crystal.cif import read_cif
from pacbed.crystal.electron import interaction_per_ev_a
from pacbed.crystal.orientation import orient
from pacbed.crystal.slicing import slice_potentials
from pacbed.simulation.multislice.aperture import sample_aperture
from pacbed.simulation.multislice.frozen_phonons import FrozenPhononEngine
from pacbed.simulation.multislice.phonon_pool import PhononPool
from pacbed.simulation.multislice.plane_wave import below_band_limit
from pacbed.simulation.scan.displaced_atoms import SupercellGrid, frozen_phonon_periods
from pacbed.simulation.scan.probes import ScanProbe, scan_pacbed
from pacbed.simulation.scan.raster import positions_needed, rectangular_raster

ROOT = Path(__file__).parents[4]
ENERGY_EV, ALPHA, TILT, FIELD, CELLS, PERIODS, GRID, ENTRIES = 200e3, 9.3, (3.0, 1.7), 24.0, 3, 8, 36, 3


@pytest.fixture(scope="module")
def crystal():
    return orient(read_cif(ROOT / "structures" / "srtio3.cif"), (0, 0, 1))


@pytest.fixture(scope="module")
def slices(crystal):
    return slice_potentials(
        crystal, zone_axis=(0, 0, 1), energy_ev=ENERGY_EV, grid=(GRID, GRID), slices=2, thermal_model="frozen_phonons"
    )


@pytest.fixture(scope="module")
def potentials(crystal):
    """Displaced slices made by abTEM, shape (level, entry, x, y) [eV Å], and their period."""
    periods = frozen_phonon_periods(
        crystal.to_atoms(), crystal.displacement, cells=(CELLS, CELLS),
        grid=SupercellGrid((CELLS * GRID, CELLS * GRID), 2), rng=np.random.default_rng(3),
    )  # fmt: skip
    few = list(itertools.islice(periods, ENTRIES))
    return np.stack([np.asarray(period.array) for period in few], axis=1), few[0]


@pytest.fixture(scope="module")
def engine(slices, potentials):
    """With no mean wave to take away, all that leaves counts as diffuse."""
    raw = np.exp(1j * interaction_per_ev_a(ENERGY_EV) * potentials[0].astype(float))
    transmission = np.fft.ifft2(np.fft.fft2(raw) * below_band_limit(slices, CELLS)).astype(np.complex64)
    pool = PhononPool(transmission, np.zeros((2, GRID, GRID), dtype=np.complex64), CELLS)
    return FrozenPhononEngine(slices, pool, propagator="fresnel")


@pytest.fixture(scope="module")
def aperture(slices):
    return sample_aperture(slices, alpha_mrad=ALPHA, mistilt_mrad=TILT, field_mrad=FIELD, directions=1, cells=CELLS)


@pytest.fixture(scope="module")
def plane_waves(engine, aperture):
    """All directions meet the same atoms: they have one key."""
    keys = np.zeros(len(aperture.q), dtype=int)
    rocking = engine.run(
        aperture.q, beams=aperture.beams, planes=1, periods_per_plane=PERIODS, keys=keys, resolved=True
    )
    return aperture.patterns(rocking.diffuse[1:], cells=CELLS, offsets=engine.offsets)[0]


@pytest.fixture(scope="module")
def probes(crystal, slices, potentials, engine, aperture):
    arrays, like = potentials
    entries, shifts = engine._draw(0, 0, PERIODS)

    def periods():
        for entry, shift in zip(entries, shifts, strict=True):
            levels = [np.roll(arrays[level, entry[level]], shift[level], axis=(0, 1)) for level in (0, 1)]
            yield PotentialArray(np.stack(levels), slice_thickness=like.slice_thickness, extent=like.extent)

    lengths = [CELLS * length for length in np.diag(crystal.cell)[:2]]
    scan = scan_pacbed(
        periods(),
        ScanProbe(ENERGY_EV, ALPHA, mistilt_mrad=TILT),
        rectangular_raster(lengths, positions_needed(ALPHA, lengths, ENERGY_EV)),
        thickness_periods=[PERIODS],
        max_angle_mrad=FIELD + 5,
        band_limit=slices.band_limit,
    )[0]
    pitch = scan.kx_mrad[1] - scan.kx_mrad[0]
    assert pitch == pytest.approx(aperture.pitch_mrad[0, 0], rel=1e-4)
    column, row = (round(-axis[0] / pitch) for axis in (scan.kx_mrad, scan.ky_mrad))
    return scan.density[aperture.pixels[:, 1] + row, aperture.pixels[:, 0] + column] * aperture.pixel_area_mrad2


def test_plane_waves_equal_probes_through_displaced_atoms(plane_waves, probes) -> None:
    """Measured 1e-4."""
    assert np.linalg.norm(plane_waves - probes) < 3e-4 * np.linalg.norm(probes)


def test_other_atoms_give_another_pattern(engine, aperture, probes) -> None:
    keys = np.ones(len(aperture.q), dtype=int)
    rocking = engine.run(
        aperture.q, beams=aperture.beams, planes=1, periods_per_plane=PERIODS, keys=keys, resolved=True
    )
    other = aperture.patterns(rocking.diffuse[1:], cells=CELLS, offsets=engine.offsets)[0]
    assert np.linalg.norm(other - probes) > 3e-3 * np.linalg.norm(probes)
