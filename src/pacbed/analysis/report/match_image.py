"""The best match as the camera would have recorded it: on the input's own pixels, in its own counts."""

from __future__ import annotations

import numpy as np

from pacbed.analysis.fit.cutout import FITTED_RADIUS
from pacbed.analysis.fit.parameters import render_pattern
from pacbed.analysis.predict import Analysis
from pacbed.simulation.rendering.background import BACKGROUND_WIDTHS


def match_image(analysis: Analysis) -> np.ndarray:
    """The best match with its gain and background, to be laid over the recorded pattern or subtracted from it.

    Returns
    -------
    float32 array, shape (y, x) of the recorded pattern
        Counts; NaN beyond the circle that was fitted, where nothing is known of the background.
    """
    model, at, ready = analysis.model, analysis.parameters, analysis.ready
    outline, cutout = ready.outline, model.cutout
    ny, nx = ready.array.shape
    image = render_pattern(model.renderer, at, at.geometry((ny, nx), mirrored=model.mirrored))
    column, row = ((np.arange(n) - c) / outline.radius_px for n, c in zip((nx, ny), outline.center_px, strict=True))
    inside = np.add.outer(row**2, column**2) <= FITTED_RADIUS**2
    gain, constant, *smooth = model.solve(at).coefficients * (cutout.bright - cutout.dark)
    image *= np.float32(gain / max(float(image[inside].mean()), 1e-30))
    image += np.float32(constant + cutout.dark)
    for weight, width in zip(
        smooth, BACKGROUND_WIDTHS, strict=True
    ):  # a Gaussian is a product of one in x and one in y
        image += np.outer(*(np.exp(-0.5 * (way / width) ** 2).astype(np.float32) for way in (row, column))) * weight
    image[~inside] = np.nan
    return image
