"""The best match as the camera would have recorded it: on the input's own pixels, in its own counts."""

from __future__ import annotations

import numpy as np

from pacbed.analysis.fit.cutout import FITTED_RADIUS, Cutout
from pacbed.analysis.fit.forward import ForwardModel
from pacbed.analysis.predict import Analysis
from pacbed.simulation.rendering.background import BACKGROUND_WIDTHS


def match_image(analysis: Analysis) -> np.ndarray:
    """The best match with its gain and background, to be laid over the recorded pattern or subtracted from it.

    Returns
    -------
    float32 array, shape (y, x) of the recorded pattern
        Counts; NaN beyond the circle that was fitted, where nothing is known of the background.
    """
    model, outline, array = analysis.model, analysis.ready.outline, analysis.ready.array
    column, row = (
        (np.arange(n) - c) / outline.radius_px for n, c in zip(array.shape[::-1], outline.center_px, strict=True)
    )
    inside = np.add.outer(row**2, column**2) <= FITTED_RADIUS**2
    whole = Cutout(array, inside, 1, (0, 0), np.ones((1, *array.shape)))
    pattern = ForwardModel(model.renderer, whole, mirrored=model.mirrored).render(analysis.parameters)
    unit = model.cutout.bright - model.cutout.dark
    gain, constant, *smooth = model.solve(analysis.parameters).coefficients * unit
    image = gain * pattern + (constant + model.cutout.dark)
    for weight, width in zip(
        smooth, BACKGROUND_WIDTHS, strict=True
    ):  # a Gaussian is a product of one in x and one in y
        image += weight * np.outer(*(np.exp(-0.5 * (way / width) ** 2) for way in (row, column)))
    image[~inside] = np.nan
    return np.asarray(image, dtype=np.float32)
