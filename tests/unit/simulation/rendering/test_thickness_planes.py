"""Coefficients of one thickness: what a pattern reads, and no less."""

from __future__ import annotations

import numpy as np
import pytest

from pacbed.patterns import Geometry
from pacbed.simulation.rendering import thickness_planes
from pacbed.simulation.rendering.renderer import Renderer
from pacbed.simulation.rendering.thickness_planes import ThicknessPlanes, half_widths_mrad, planes_around, wanted_runs
from pacbed.simulation.table.codes import decode_coefficients


def marked(runs: np.ndarray, pairs: int) -> np.ndarray:
    inside = np.zeros(pairs, dtype=bool)
    for begin, end in runs:
        inside[begin:end] = True
    return inside


@pytest.mark.parametrize("pitch", ["square", "oblique"])
def test_runs_hold_what_lies_in_the_region(tiny_table, pitch):
    """Pair by pair: all that is wanted, and little else, which joins neighbouring runs."""
    table = tiny_table
    steps = table.pitch_mrad if pitch == "square" else table.pitch_mrad @ np.array([[0.9, 0.3], [-0.4, 1.1]])
    angles = table.beams @ (steps * np.array(table.steps)[:, None])
    runs = wanted_runs(table.rows, angles, steps, 9.0, 14.0, 6.5)
    q, out = [], []
    for beam, m1, m2, count in table.rows:
        nodes = np.stack([np.full(count, m1), np.arange(m2, m2 + count)], axis=1) @ steps
        q.append(nodes)
        out.append(nodes + angles[beam])
    q, out = np.concatenate(q), np.abs(np.concatenate(out))
    wanted = (np.linalg.norm(q, axis=1) <= 9.0) & (out[:, 0] <= 14.0) & (out[:, 1] <= 6.5)
    found = marked(runs, table.codes.shape[1])
    assert 0.01 < wanted.mean() < 0.5
    assert found[wanted].all()
    assert np.all(runs[1:, 0] - runs[:-1, 1] > thickness_planes.WHOLE)
    assert found.sum() <= wanted.sum() + thickness_planes.WHOLE * len(table.rows)


def test_box_holds_an_image_and_its_copies():
    geometry = Geometry((11, 21), 1.0, (10.0, 5.0))
    swap = np.array([np.eye(2), [[0, 1], [1, 0]]])
    np.testing.assert_allclose(half_widths_mrad(geometry, np.array([2.0, -1.0]), swap[:1]), [12.0, 6.0])
    np.testing.assert_allclose(half_widths_mrad(geometry, np.array([2.0, -1.0]), swap), [12.0, 12.0])


def test_four_planes_around_a_thickness(tiny_table):
    geometry, mistilt = Geometry.field_of_view(20, 12.0), np.array([0.4, -0.2])
    planes = ThicknessPlanes(tiny_table, 0.5)
    first, weights = planes_around(tiny_table, np.array([4.3]))
    expected = weights[0] @ decode_coefficients(tiny_table.codes[first[0] : first[0] + 4])
    runs = wanted_runs(tiny_table.rows, tiny_table.beams_mrad, tiny_table.pitch_mrad, 9.5, 13.0, 13.0)
    with planes.at(4.3, 8.2, geometry, mistilt) as one, planes.at(4.3, 8.9, geometry, mistilt) as same:
        inside = marked(runs, len(one))
        np.testing.assert_allclose(decode_coefficients(one)[inside], expected[inside], rtol=2e-2, atol=2e-7)
        assert same is one  # rounded up, the region is the same


def test_a_plane_in_use_is_not_overwritten(tiny_table):
    """While one is read, others come and go, whose memory serves again."""
    geometry, mistilt = Geometry.field_of_view(20, 12.0), np.zeros(2)
    planes, thicknesses = ThicknessPlanes(tiny_table, 0.5), np.linspace(1.0, 9.0, 3 * thickness_planes.KEPT)
    with planes.at(0.5, 8.0, geometry, mistilt) as held:
        before, fresh = held.copy(), []
        for thickness in thicknesses:
            with planes.at(thickness, 8.0, geometry, mistilt) as other:
                fresh.append(other.copy())
        np.testing.assert_array_equal(held, before)
    inside = marked(
        wanted_runs(tiny_table.rows, tiny_table.beams_mrad, tiny_table.pitch_mrad, 8.0, 12.0, 12.0), len(before)
    )
    for thickness, expected in zip(thicknesses, fresh, strict=True):
        with ThicknessPlanes(tiny_table, 0.5).at(thickness, 8.0, geometry, mistilt) as alone:
            np.testing.assert_array_equal(alone[inside], expected[inside])


@pytest.mark.parametrize(
    ("geometry", "mistilt_mrad"),
    [
        (Geometry((20, 44), 0.9, (30.0, 4.0)), (2.5, -1.0)),
        (Geometry((16, 30), 0.8, (3.0, 20.0), rotation_deg=33.0, mirrored=True), (-1.0, 2.0)),
        (Geometry((1, 1), 1.0, (-7.0, 9.0)), (0.0, 0.0)),
    ],
)
def test_a_pattern_reads_nothing_else(tiny_table, monkeypatch, geometry, mistilt_mrad):
    """What no run holds is filled with the largest code; no pixel may see it."""
    options = {"thickness_nm": 6.1, "convergence_mrad": 9.0, "geometry": geometry, "mistilt_mrad": mistilt_mrad}
    usual = Renderer(tiny_table).render(**options)
    clean = thickness_planes.combine_planes

    def spoilt(codes, first, weights, runs, out):
        clean(codes, first, weights, runs, out)
        out[~marked(runs, len(out))] = np.iinfo(np.int16).max

    monkeypatch.setattr(thickness_planes, "combine_planes", spoilt)
    np.testing.assert_array_equal(Renderer(tiny_table).render(**options), usual)
    assert usual.max() > 0
