"""A renderer of the tiny table, and the sum that it stands for, worked out beam by beam and node by node."""

from __future__ import annotations

import numpy as np
import pytest

from pacbed.simulation.rendering.renderer import Renderer
from pacbed.simulation.table.codes import decode_coefficients
from pacbed.simulation.table.spline import spline_weights


@pytest.fixture(scope="session")
def renderer(tiny_table):
    return Renderer(tiny_table)


@pytest.fixture(scope="session")
def expanded(tiny_table):
    """Every coefficient of the whole cone by (m1, m2, h, k), expanded with the operations one by one."""
    values = decode_coefficients(tiny_table.codes).T
    stored, at = {}, 0
    for beam, m1, m2, count in tiny_table.rows:
        for step in range(count):
            for operation in tiny_table.operations:
                key = (*(operation @ [m1, m2 + step]), *(operation @ tiny_table.beams[beam]))
                stored[tuple(int(part) for part in key)] = values[at + step]
        at += count
    return stored


@pytest.fixture(scope="session")
def naive(tiny_table, expanded):
    """Function that gives the fraction of the beam in one pixel: apertures times splines, summed over beams."""
    table = tiny_table

    def pixel(k, *, thickness_nm, alpha, tilt, edge, pixel_mrad):
        height = thickness_nm / table.plane_spacing_nm
        along = slice(int(height) - 1 - table.first_plane, int(height) + 3 - table.first_plane)
        position = (k + tilt) @ np.linalg.inv(table.pitch_mrad)
        below = np.floor(position).astype(int)
        w1, w2 = spline_weights(position - below)
        total = 0.0
        for beam in table.beams:
            distance = np.linalg.norm(k - beam @ table.reciprocal_mrad)
            share = np.clip((alpha + edge / 2 - distance) / edge, 0, 1) if edge else float(distance <= alpha)
            if share:
                first = below - beam * np.array(table.steps)
                spline = sum(
                    w1[a] * w2[b] * expanded[(int(first[0]) - 1 + a, int(first[1]) - 1 + b, *map(int, beam))][along]
                    for a in range(4)
                    for b in range(4)
                )
                total += share * (spline @ spline_weights(height - int(height)))
        return total * pixel_mrad**2 / (np.pi * alpha**2)

    return pixel
