import numpy as np
import pytest

from pacbed.evaluation.direct.lattice import DirectionLattice, cell_inside


def test_shares_of_an_aperture_are_the_whole_beam(srtio3_slices):
    lattice = DirectionLattice.of(
        srtio3_slices, cone_mrad=20.0, field_mrad=30.0, pitch_mrad=0.4, rng=np.random.default_rng(1)
    )
    assert lattice.step_mrad <= 0.4
    assert np.linalg.norm(lattice.directions_mrad, axis=1).max() <= 20
    for mistilt in ((0.0, 0.0), (2.1, -3.3)):
        assert lattice.aperture(14.0, mistilt).sum() == pytest.approx(1, abs=1e-3)


def test_a_beam_reaches_the_point_it_leaves_at(srtio3_slices):
    lattice = DirectionLattice.of(
        srtio3_slices, cone_mrad=3.0, field_mrad=12.0, pitch_mrad=1.0, rng=np.random.default_rng(1)
    )
    targets = lattice.targets(slice(0, 5))
    reciprocal = lattice.beams @ (lattice.steps * lattice.pitch_mrad)
    for direction in range(5):
        for beam in range(len(lattice.beams)):
            leaving = lattice.directions_mrad[direction] + reciprocal[beam]
            if np.hypot(*leaving) > 12:
                assert targets[direction, beam] == -1
                continue
            point = np.array(np.unravel_index(targets[direction, beam], lattice.box)) - lattice.half
            np.testing.assert_allclose((point + lattice.offset) @ lattice.pitch_mrad, leaving, atol=1e-9)


@pytest.mark.parametrize("azimuth_deg", [0.0, 30.0, 45.0, 77.0])
def test_share_of_a_cell_is_what_lies_inside_an_edge(azimuth_deg):
    """Counted with many points of an oblique cell."""
    sides = np.array([[1.0, 0.0], [0.3, 0.8]])
    normal = np.array([np.cos(np.deg2rad(azimuth_deg)), np.sin(np.deg2rad(azimuth_deg))])
    points = np.random.default_rng(1).uniform(-0.5, 0.5, (200_000, 2)) @ sides
    for depth in (-2.0, -0.3, 0.0, 0.2, 2.0):
        share = float(cell_inside(np.array(depth), *np.abs(sides @ normal)))
        assert share == pytest.approx(np.mean(points @ normal <= depth), abs=4e-3)


def test_steps_are_a_multiple_of_the_supercell(srtio3_slices):
    given = {"cone_mrad": 3.0, "field_mrad": 12.0, "pitch_mrad": 1.0}
    rng = np.random.default_rng(1)
    plain, of_three = (DirectionLattice.of(srtio3_slices, **given, rng=rng, multiple=n) for n in (1, 3))
    assert (plain.steps, of_three.steps) == (7, 9)
    assert of_three.targets(slice(0, 2), np.array([[0, 0], [1, 0]]), 3).shape == (2, len(of_three.beams), 2)
    moved = of_three.targets(slice(0, 2), np.array([[0, 0], [1, 0]]), 3)
    seen = (moved >= 0).all(axis=-1)
    assert set((moved[..., 1] - moved[..., 0])[seen]) == {3 * of_three.box[1]}
