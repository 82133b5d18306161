"""The identity the project stands on: a sum of plane waves through one cell equals abTEM's raster of probes.

The crystal has no symmetry at all, so that a wrong sign, axis or handedness anywhere fails.
"""

from __future__ import annotations

import numpy as np
import pytest

from pacbed.crystal.cell import Crystal
from pacbed.crystal.slicing import slice_potentials
from pacbed.patterns import Geometry, polar_to_vector, relative_l2
from pacbed.simulation.rendering.renderer import Renderer
from pacbed.simulation.scan.direct_pattern import SampledGeometry
from pacbed.simulation.scan.probes import ScanProbe, scan_pacbed
from pacbed.simulation.scan.raster import positions_needed, rectangular_raster
from pacbed.simulation.scan.supercell import orthogonal_slices
from pacbed.simulation.table.gather import gather_rocking_table
from pacbed.simulation.table.rocking_block import simulate_rocking_block
from pacbed.simulation.table.rocking_table import RockingTable
from pacbed.simulation.table.settings import TableSettings

PERIODS, ALPHA, TILT, CELLS = 24, 9.3, (3.0, 1.7), 4
SQUARE = np.diag([4.1, 4.1, 3.9])
OBLIQUE = np.array([[4.2, 0, 0], [-2.1, 2.1 * np.sqrt(3), 0], [0, 0, 3.9]])


def _polar_crystal(cell):
    fractional = np.array([[0.05, 0.1, 0.0], [0.55, 0.35, 0.5], [0.2, 0.75, 0.5]])
    displacement = np.array([np.diag([0.004, 0.008, 0.006])] * 3)
    return Crystal(cell, ["Sr", "Ti", "O"], fractional @ cell, np.ones(3), displacement, "OSrTi", "polar")


def _both_ways(cell, cells, folder):
    """The scan's pattern, and the renderer of a Fresnel table of the same slices."""
    slices = slice_potentials(_polar_crystal(cell), zone_axis=(0, 0, -1), energy_ev=200e3, grid=(28, 28), slices=2)
    (folder / "structure").mkdir()
    slices.save(folder / "structure")
    settings = TableSettings(
        thickness_max_nm=10.0,
        cone_mrad=ALPHA + 4,
        field_mrad=30.0,
        direction_pitch_mrad=0.5,
        propagator="fresnel",
        batch=64,
    )
    simulate_rocking_block(folder / "structure", settings, block=0, blocks=1, out_dir=folder / "block")
    gather_rocking_table([folder / "block"], folder / "rocking")
    wide = orthogonal_slices(slices)
    scan = scan_pacbed(
        wide.periods(cells),
        ScanProbe(200e3, ALPHA, mistilt_mrad=TILT),
        rectangular_raster(wide.lengths_a, positions_needed(ALPHA, wide.lengths_a, 200e3)),
        thickness_periods=[PERIODS],
        max_angle_mrad=18.0,
        band_limit=slices.band_limit,
    )[0]
    return scan, Renderer(RockingTable.load(folder / "rocking"))


@pytest.fixture(scope="module")
def square(tmp_path_factory):
    return _both_ways(SQUARE, (CELLS, CELLS), tmp_path_factory.mktemp("square"))


def _rendered(renderer, geometry, mistilt=TILT):
    image = renderer.render(
        thickness_nm=PERIODS * 0.39, convergence_mrad=ALPHA, mistilt_mrad=mistilt, geometry=geometry, edge_mrad=0.0
    )
    return image / geometry.pixel_mrad**2


def _geometry(scan, **options):
    """The scan's samples as an ordinary camera: they are square here, and the middle one is the optic axis."""
    pitch, middle = float(scan.kx_mrad[1] - scan.kx_mrad[0]), (len(scan.kx_mrad) - 1) / 2
    assert scan.kx_mrad[int(middle)] == pytest.approx(0.0, abs=1e-9)
    return Geometry(scan.intensity.shape, pitch, (middle, middle), **options)


def test_plane_waves_equal_probes(square):
    """Measured 2e-4; the physics page promises 2e-3."""
    scan, renderer = square
    assert relative_l2(_rendered(renderer, _geometry(scan)), scan.density) < 1e-3


def test_plane_waves_equal_probes_on_an_oblique_cell(tmp_path):
    scan, renderer = _both_ways(OBLIQUE, (4, 2), tmp_path)
    assert relative_l2(_rendered(renderer, SampledGeometry.of(scan)), scan.density) < 1e-3


@pytest.mark.parametrize(
    "wrong", [(-TILT[0], -TILT[1]), (TILT[1], TILT[0]), (TILT[0], -TILT[1]), (-TILT[0], TILT[1]), (0.0, 0.0)]
)
def test_mistilt_has_one_sign_and_one_order_of_axes(square, wrong):
    scan, renderer = square
    assert relative_l2(_rendered(renderer, _geometry(scan), wrong), scan.density) > 0.02


@pytest.mark.parametrize("turn", [np.transpose, np.fliplr, np.flipud, np.rot90, lambda image: np.rot90(image, 2)])
def test_image_axes(square, turn):
    """Rows are y and columns are x, neither reversed."""
    scan, renderer = square
    assert relative_l2(turn(_rendered(renderer, _geometry(scan))), scan.density) > 0.05


def test_azimuth_counts_from_x_towards_y(square):
    scan, renderer = square
    size, azimuth = float(np.hypot(*TILT)), float(np.rad2deg(np.arctan2(TILT[1], TILT[0])))
    right = _rendered(renderer, _geometry(scan), polar_to_vector(size, azimuth))
    assert relative_l2(right, scan.density) < 1e-3
    assert relative_l2(_rendered(renderer, _geometry(scan), polar_to_vector(size, -azimuth)), scan.density) > 0.02


def test_rotation_turns_the_picture_from_x_towards_y(square):
    """A quarter turn brings the crystal's +x, to the right, down: y points down in an image."""
    scan, renderer = square
    quarter = _rendered(renderer, _geometry(scan, rotation_deg=90.0))
    clockwise = np.rot90(scan.density, k=-1)
    assert relative_l2(quarter, clockwise) < 1e-3
    assert relative_l2(quarter, np.rot90(scan.density)) > 0.05


def test_a_mirrored_camera_shows_the_enantiomorph(square):
    scan, renderer = square
    mirrored = _rendered(renderer, _geometry(scan, mirrored=True))
    assert relative_l2(mirrored, np.flipud(scan.density)) < 1e-3
    both = _rendered(renderer, _geometry(scan, mirrored=True, rotation_deg=90.0))
    assert relative_l2(both, np.rot90(np.flipud(scan.density), k=-1)) < 1e-3


def test_image_frame_mistilt_goes_back_to_the_crystal(square):
    """What an image shows at its own azimuth is, for the crystal, the mistilt of the scan."""
    scan, renderer = square
    geometry = _geometry(scan, rotation_deg=90.0)
    seen = polar_to_vector(float(np.hypot(*TILT)), 90.0 + float(np.rad2deg(np.arctan2(TILT[1], TILT[0]))))
    image = _rendered(renderer, geometry, geometry.to_crystal(seen))
    assert relative_l2(image, np.rot90(scan.density, k=-1)) < 1e-3
