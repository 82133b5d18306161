"""Look-up of directions and beams by symmetry, against plain searches."""

from __future__ import annotations

import numpy as np
import pytest

from pacbed.crystal.lattice import cone_nodes
from pacbed.simulation.table.wedge import Wedge, axes_kept, row_starts

SQUARE = np.array([np.linalg.matrix_power(np.array([[0, -1], [1, 0]]), n) @ m
                   for n in range(4) for m in (np.eye(2, dtype=int), np.diag([1, -1]))])  # fmt: skip
SIXFOLD = np.array([np.linalg.matrix_power(np.array([[1, -1], [1, 0]]), n) for n in range(6)])
HEXAGONAL = np.array([[1.0, 0.0], [-0.5, np.sqrt(3) / 2]])
GROUPS = [(np.eye(2), SQUARE), (HEXAGONAL, SIXFOLD)]


@pytest.mark.parametrize(("basis", "group"), GROUPS)
def test_each_node_leads_to_the_one_of_its_orbit(basis, group):
    beams = cone_nodes(basis, 3.2)
    wedge = Wedge.of(0.5 * basis, 2.6, group, beams)
    nodes = cone_nodes(0.5 * basis, 2.6)
    for node in nodes:
        at = tuple(node + wedge.reach)
        images = [tuple(image) for image in (group @ node).tolist()]
        assert tuple(wedge.representative[at]) == max(images)
        assert tuple(group[wedge.operation[at]] @ node) == max(images)
    side = np.arange(-wedge.reach, wedge.reach + 1)
    everywhere = np.stack(np.meshgrid(side, side, indexing="ij"), axis=-1)
    outside = np.linalg.norm(everywhere @ (0.5 * basis), axis=-1) > 2.6 + 1e-9
    np.testing.assert_array_equal(wedge.operation == -1, outside)


@pytest.mark.parametrize(("basis", "group"), GROUPS)
def test_beams_are_carried_along(basis, group):
    beams = np.random.default_rng(1).permutation(cone_nodes(basis, 3.2))
    wedge = Wedge.of(0.5 * basis, 2.6, group, beams)
    for number, operation in enumerate(group):
        np.testing.assert_array_equal(beams[wedge.beam_image[number]], beams @ operation.T)


def test_a_beam_without_its_image_is_marked():
    beams = np.array([[0, 0], [1, 0], [0, 1], [5, 0]])
    wedge = Wedge.of(np.eye(2), 2.0, SQUARE, beams)
    for number, operation in enumerate(SQUARE):
        for beam, image in zip(beams, wedge.beam_image[number], strict=True):
            turned = (operation @ beam).tolist()
            assert (beams[image].tolist() == turned) if image >= 0 else (turned not in beams.tolist())
    assert (wedge.beam_image == -1).any()


def test_row_starts_count_the_coefficients():
    """Coefficient number of (beam, m1, m2), against counting through the runs."""
    rows = np.array([[0, -1, -2, 3], [0, 0, -3, 7], [2, -1, 4, 1], [2, 1, -1, 2]])
    start, column = row_starts(rows, beams=3, reach=4), 0
    for beam, m1, first, count in rows:
        for m2 in range(first, first + count):
            assert start[beam, m1 + 4] + m2 == column
            column += 1
    assert column == 13


def test_operations_that_turn_the_axes_elsewhere_expand_no_coefficients():
    assert axes_kept(SIXFOLD).tolist() == [[[1, 0], [0, 1]], [[-1, 0], [0, -1]]]
    assert len(axes_kept(SQUARE)) == 8
