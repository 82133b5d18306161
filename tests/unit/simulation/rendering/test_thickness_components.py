"""Components along thickness: what they leave out, and how patterns are mixed from them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pacbed.simulation.rendering.thickness_components import LOSS, ThicknessComponents
from pacbed.simulation.table.codes import decode_coefficients


@pytest.fixture(scope="module")
def components(tiny_table):
    return ThicknessComponents.of(tiny_table)


def decoded(components, table):
    """Coefficients (plane, pair) from the components of every pair."""
    codes, offset, rank, scale = components.coded
    columns, pair = [], 0
    for beam, _m1, _m2, count in table.rows:
        for _ in range(count):
            at = offset[beam] + pair * rank[beam]
            kept = codes[at : at + rank[beam]] * scale[beam]
            columns.append(kept @ components.basis[: rank[beam]])
            pair += 1
    return np.array(columns).T


def test_components_give_back_the_coefficients(components, tiny_table):
    """The loss of a beam is that which was asked for, and the rounding of its codes."""
    exact = decode_coefficients(tiny_table.codes).astype(float)
    found = decoded(components, tiny_table)[: len(exact)]
    scale = np.sqrt(np.mean(np.sum(exact**2, axis=0)))  # of one pair
    beam_of = np.repeat(tiny_table.rows[:, 0], tiny_table.rows[:, 3])
    for beam in np.unique(beam_of):
        error = np.sqrt(np.mean(np.sum((found - exact)[:, beam_of == beam] ** 2, axis=0)))
        assert error < 2 * LOSS * scale


def test_beams_that_vary_more_keep_more(components, tiny_table):
    """The undiffracted beam has the most energy, the outermost ones the least."""
    rank = components.coded.rank
    inner = np.linalg.norm(tiny_table.beams_mrad, axis=1)
    assert rank[np.argmin(inner)] == rank.max()
    assert rank[np.argmax(inner)] == rank.min()


def test_a_mix_is_the_weighted_sum_of_four_coefficients(components, tiny_table):
    exact = decode_coefficients(tiny_table.codes)
    first, weights = np.array([0, 3, 5, 1, 2]), np.random.default_rng(4).random((5, 4)).astype(np.float32)
    mix = components.mix(first, weights)
    assert len(mix.weights) % 4 == 0 and not mix.weights[5:].any()
    found = mix.weights[:5, : len(components.basis)] @ np.linalg.pinv(components.basis).T
    for row, begin, four in zip(found, first, weights, strict=True):
        expected = np.zeros(len(exact))
        expected[begin : begin + 4] = four
        kept = expected @ np.linalg.pinv(components.basis[:, : len(exact)]) @ components.basis[:, : len(exact)]
        np.testing.assert_allclose(row[: len(exact)], kept, atol=1e-4)
    for four, (low, high) in enumerate(mix.used):
        rest = mix.weights[4 * four : 4 * four + 4].copy()
        rest[:, low:high] = 0
        assert low % 4 == 0 and not rest.any()


def test_where_components_save_nothing_coefficients_stay(tiny_table):
    """Noise has no components: then the basis is that of the planes, and nothing is left out but by rounding."""
    rng = np.random.default_rng(6)
    noise = rng.integers(-9000, 9000, tiny_table.codes.shape).astype(np.int16)
    table = replace(tiny_table, codes=noise)
    components = ThicknessComponents.of(table)
    exact = decode_coefficients(noise)
    np.testing.assert_array_equal(components.basis[: len(exact), : len(exact)], np.eye(len(exact)))
    found = decoded(components, table)[: len(exact)]
    np.testing.assert_allclose(found, exact, atol=np.abs(exact).max() / 30_000)
