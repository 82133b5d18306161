"""How far a fit steps, and where it may not go: out of the table, or too far from its start."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from pacbed.analysis.fit.forward import ForwardModel
from pacbed.analysis.fit.parameters import Displacement, PatternParameters
from pacbed.analysis.fit.sensitivity import STEPS

# About one step of a search.
SCALES = Displacement(
    thickness_nm=1.0,
    mistilt_x_mrad=0.3,
    mistilt_y_mrad=0.3,
    center_x_mrad=0.2,
    center_y_mrad=0.2,
    pixel_percent=1.0,
    rotation_deg=1.0,
    convergence_mrad=0.2,
    blur_mrad=0.2,
    ellipse_plus_percent=0.5,
    ellipse_cross_percent=0.5,
)
# How far a fit may leave its start; the ellipse may leave the circle by as much, a ratio of its axes of 1.08.
REACH = Displacement(
    thickness_nm=8.0,
    mistilt_x_mrad=4.0,
    mistilt_y_mrad=4.0,
    center_x_mrad=3.0,
    center_y_mrad=3.0,
    pixel_percent=15.0,
    rotation_deg=20.0,
    convergence_mrad=1.5,
    blur_mrad=1.5,
    ellipse_plus_percent=3.85,
    ellipse_cross_percent=3.85,
)
BLUR_RANGE_MRAD = (0.02, 3.0)
EDGE_MARGIN_MRAD = 0.1  # for what the fitted pixel size adds to the width of the aperture's edge
THINNEST_NM = 0.2


class Bounds(NamedTuple):
    """Lowest and highest displacement, each a float array of shape (11,)."""

    low: np.ndarray
    high: np.ndarray


def bounds(model: ForwardModel, start: PatternParameters) -> Bounds:
    """Displacements inside the table and within reach of a start."""
    low, high = Displacement(*(-value for value in REACH)), REACH
    margin = STEPS.thickness_nm
    deepest = model.renderer.table.thickness_max_nm
    # The disk and its edge stay inside the table; a larger pixel, which widens the edge, needs a little more.
    widest = model.mistilt_limit_mrad(start) - EDGE_MARGIN_MRAD
    low = low._replace(
        thickness_nm=max(low.thickness_nm, THINNEST_NM + margin - start.thickness_nm),
        blur_mrad=max(low.blur_mrad, BLUR_RANGE_MRAD[0] - start.blur_mrad),
        ellipse_plus_percent=low.ellipse_plus_percent - start.ellipse_percent[0],
        ellipse_cross_percent=low.ellipse_cross_percent - start.ellipse_percent[1],
    )
    high = high._replace(
        thickness_nm=min(high.thickness_nm, deepest - margin - start.thickness_nm),
        convergence_mrad=max(low.convergence_mrad + 1e-3, min(high.convergence_mrad, widest)),
        blur_mrad=min(high.blur_mrad, BLUR_RANGE_MRAD[1] - start.blur_mrad),
        ellipse_plus_percent=high.ellipse_plus_percent - start.ellipse_percent[0],
        ellipse_cross_percent=high.ellipse_cross_percent - start.ellipse_percent[1],
    )
    return Bounds(np.array(low), np.array(high))
