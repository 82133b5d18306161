"""Coefficients of a table: the compiled filter against a plain one, and whole tables against what was sampled."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import correlate1d

from pacbed.crystal.lattice import cone_nodes, representatives
from pacbed.errors import SimulationError
from pacbed.simulation.table.block_record import BlockCodes
from pacbed.simulation.table.codes import decode, decode_coefficients, encode
from pacbed.simulation.table.coefficient_kernels import (
    TILE,
    OrbitNodes,
    orbit_coefficients,
    plane_filter,
    sort_pairs,
)
from pacbed.simulation.table.coefficients import KEPT_FACTS, CoefficientBuilder
from pacbed.simulation.table.spline import (
    PREFILTER,
    PREFILTER_REACH,
    STENCIL_REACH,
    plane_matrix,
    reach_mrad,
    spline_weights,
)


def coefficients(samples, source, picked):
    """Decoded coefficients of the compiled filter, shape (coefficient, node), and its largest code."""
    values = np.empty((len(picked) // TILE + 1, len(samples), TILE), dtype=np.float32)
    codes = np.zeros((len(samples) + 2, len(picked)), dtype=np.int16)
    nodes = OrbitNodes(source, picked, np.arange(len(picked), dtype=np.int32))
    largest = orbit_coefficients(samples, nodes, plane_filter(len(samples)), values, codes)
    return decode_coefficients(codes), largest


@pytest.mark.parametrize("planes", [1, 2, 3, 7, 60])
def test_coefficients_are_those_of_a_plain_filter(planes):
    rng = np.random.default_rng(planes)
    box, margin = (37, 41), PREFILTER_REACH
    source = rng.permutation(box[0] * box[1]).astype(np.int32).reshape(box)
    source[rng.random(box) < 0.1] = -1
    samples = rng.integers(0, 14_000, (planes, source.size)).astype(np.uint16)
    inner = (box[0] - 2 * margin, box[1] - 2 * margin)
    picked = np.flatnonzero(rng.random(inner) < 0.8).astype(np.int32)
    dense = np.where(source < 0, 0.0, decode(samples).astype(float)[:, source])
    for axis in (1, 2):
        dense = correlate1d(dense, PREFILTER, axis=axis, mode="constant")
    inside = dense[:, margin:-margin, margin:-margin].reshape(planes, -1)
    expected = plane_matrix(planes) @ inside[:, picked]
    got, largest = coefficients(samples, source, picked)
    assert len(picked) > 2 * TILE
    assert expected.min() < -1e-3
    roots = [np.copysign(np.sqrt(np.abs(values)), values) for values in (got, expected)]
    assert np.abs(roots[0] - roots[1]).max() < 1 / 16383  # half a code, and what single precision adds near zero
    assert largest == pytest.approx(16383 * np.sqrt(np.abs(expected).max()), rel=1e-5)


def test_a_band_leaves_nothing_out_that_single_precision_sees():
    matrix, planes, band = plane_matrix(100), np.arange(100), plane_filter(100).band
    outside = (planes < band[:, :1]) | (planes >= band[:, 1:])
    assert np.abs(matrix * outside).sum(axis=1).max() < 2**-24
    assert np.diff(band).max() < 48


def test_sorting_moves_columns():
    chunk = np.arange(12, dtype=np.uint16).reshape(2, 6)
    rank = np.array([3, 0, 5, 1, 2, 4], dtype=np.int32)
    out = np.empty_like(chunk)
    sort_pairs(chunk, rank, out)
    np.testing.assert_array_equal(out[:, rank], chunk)


# Whole tables

STEPS, RECIPROCAL = (4, 5), np.array([[6.0, 0.0], [-1.0, 5.0]])
CONE, FIELD, PLANES = 5.0, 9.0, 6
SQUARE = np.array([[[1, 0], [0, 1]], [[0, -1], [1, 0]], [[-1, 0], [0, -1]], [[0, 1], [-1, 0]]])


def cubic(q, g, plane):
    """Intensity that depends on direction [mrad], beam [mrad] and plane as a cubic in each."""
    x, y = np.moveaxis(np.asarray(q), -1, 0)
    a, b = np.moveaxis(np.asarray(g), -1, 0)
    t = plane / PLANES
    return 0.3 + 2e-4 * (x**3 - 7 * x * y**2) + 3e-3 * y * (a - b) + 0.1 * (t**3 - t) + 4e-4 * x * b * t


def builder(intensity, *, steps=STEPS, reciprocal=RECIPROCAL, group=SQUARE[:1], blocks=1):
    """What `gather_rocking_table` would build of blocks that sampled a function of q, G and plane."""
    pitch = reciprocal / np.array(steps)[:, None]
    margin = reach_mrad(pitch, STENCIL_REACH + PREFILTER_REACH) + 1e-6
    every = cone_nodes(pitch, CONE + margin)
    nodes = every[np.all(representatives(every, group)[0] == every, axis=1)]
    beams = cone_nodes(reciprocal, FIELD + CONE + 2 * margin)
    q, g = nodes @ pitch, beams @ reciprocal
    kept = np.linalg.norm(q[:, None] + g, axis=-1) <= FIELD + margin
    direction, beam = np.nonzero(kept)
    values = np.stack([intensity(q[direction], g[beam], plane) for plane in range(PLANES)])
    facts = {
        **dict.fromkeys(KEPT_FACTS, "some"), "steps": list(steps), "reciprocal_mrad": reciprocal.tolist(),
        "operations": group.tolist(), "cone_mrad": CONE, "field_mrad": FIELD, "plane_spacing_a": 10.0, "energy_ev": 2e5,
    }  # fmt: skip
    nothing = np.zeros((PLANES, len(nodes)), dtype=np.float32)
    arrays = {"beam": beam.astype(np.uint16), "count": kept.sum(axis=1).astype(np.uint32), "nodes": nodes,
              "beams": beams, "absorbed": nothing, "lost": nothing}  # fmt: skip
    ends = np.cumsum(arrays["count"].astype(int))[np.linspace(0, len(nodes) - 1, blocks + 1).astype(int)[1:]]
    parts = np.split(encode(values), ends[:-1], axis=1)
    codes = [BlockCodes(part.shape[1], [part[:2], part[2:]]) for part in parts]
    return CoefficientBuilder(facts, arrays, {"intensity": codes})


def value(table, q, beam, plane):
    """The spline of a table at a direction [mrad] and plane, by plain search for each coefficient."""
    coefficients = decode_coefficients(table.codes)
    column = {}
    for b, m1, first, count in table.rows.tolist():
        for m2 in range(first, first + count):
            column[b, m1, m2] = len(column)
    beams = {tuple(one): number for number, one in enumerate(table.beams.tolist())}
    corner = np.floor(q @ np.linalg.inv(table.pitch_mrad)).astype(int)
    weights = [spline_weights(f) for f in q @ np.linalg.inv(table.pitch_mrad) - corner]
    first = min(int(plane), len(coefficients) - 4)
    along, total = spline_weights(plane - first), 0.0
    for a in range(4):
        for b in range(4):
            node = corner + np.array([a - 1, b - 1])
            for operation in table.operations:  # of which one leads to a coefficient that is stored
                image = (beams.get(tuple(operation @ table.beams[beam])), *(operation @ node))
                if image in column:
                    break
            total += weights[0][a] * weights[1][b] * (along @ coefficients[first : first + 4, column[image]])
    return total


def points(table, count):
    """Pairs of a direction and a beam that the table covers."""
    rng, found = np.random.default_rng(5), []
    while len(found) < count:
        q, beam = rng.uniform(-CONE, CONE, 2), int(rng.integers(len(table.beams)))
        if np.hypot(*q) <= CONE and np.linalg.norm(q + table.beams_mrad[beam]) <= FIELD:
            found.append((q, beam))
    return found


@pytest.fixture(scope="module")
def polynomial():
    return builder(cubic).table(threads=1)


def test_a_table_of_cubics_is_exact_between_its_nodes(polynomial):
    """In both directions and in thickness; what remains is the rounding of samples and coefficients to their codes."""
    for q, beam in points(polynomial, 25):
        for plane in (0.0, 1.37, 4.99):
            expected = cubic(q, polynomial.beams_mrad[beam], plane)
            assert value(polynomial, q, beam, plane) == pytest.approx(expected, abs=3e-4)


@pytest.mark.parametrize(("blocks", "threads"), [(2, 1), (5, 3)])
def test_blocks_and_threads_change_nothing(polynomial, blocks, threads):
    other = builder(cubic, blocks=blocks).table(threads)
    np.testing.assert_array_equal(other.codes, polynomial.codes)
    np.testing.assert_array_equal(other.rows, polynomial.rows)


def test_every_coefficient_of_cone_and_field_is_there_once(polynomial):
    margin = reach_mrad(polynomial.pitch_mrad, STENCIL_REACH) + 1e-6
    nodes, expected = cone_nodes(polynomial.pitch_mrad, CONE + margin), set()
    for node in nodes:
        out = node @ polynomial.pitch_mrad + polynomial.beams_mrad
        expected |= {
            (int(beam), *node.tolist()) for beam in np.flatnonzero(np.linalg.norm(out, axis=1) <= FIELD + margin)
        }
    runs = [(b, m1, m2) for b, m1, first, n in polynomial.rows.tolist() for m2 in range(first, first + n)]
    assert len(runs) == len(set(runs)) == polynomial.codes.shape[1]
    assert set(runs) == expected


def test_symmetry_stands_for_the_directions_that_were_not_sampled():
    """A fourfold axis: of sampled and stored pairs a quarter, and values that follow the axis anywhere."""

    def fourfold(q, g, plane):
        x, y = np.moveaxis(np.asarray(q), -1, 0)
        a, b = np.moveaxis(np.asarray(g), -1, 0)
        t = plane / PLANES
        return 0.4 + 1e-3 * (x * a + y * b) * (1 + t) + 2e-3 * (x * b - y * a) + 1e-4 * (x**2 + y**2) * t

    options = {"steps": (4, 4), "reciprocal": 6.0 * np.eye(2)}
    whole = builder(fourfold, **options).table(threads=1)
    quarter = builder(fourfold, group=SQUARE, **options).table(threads=2)
    assert len(quarter.nodes) == pytest.approx(len(whole.nodes) / 4, abs=1)
    assert quarter.codes.shape[1] == pytest.approx(whole.codes.shape[1] / 4, rel=0.05)
    for q, beam in points(quarter, 15):
        expected = fourfold(q, quarter.beams_mrad[beam], 2.4)
        assert value(quarter, q, beam, 2.4) == pytest.approx(expected, abs=3e-4)


def test_samples_that_are_no_intensities_are_refused():
    """Checkered along directions and planes: the spline through them swings too far to be coded."""

    def checkered(q, g, plane):
        pitch = RECIPROCAL / np.array(STEPS)[:, None]
        node = np.round(np.asarray(q) @ np.linalg.inv(pitch)).astype(int)
        return ((node.sum(axis=-1) + plane) % 2).astype(float)

    with pytest.raises(SimulationError, match=r"spline coefficients: got \d.*, accepted: -4 to 4"):
        builder(checkered).table(threads=1)
