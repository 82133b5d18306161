"""The best match as the camera would have recorded it: on the input's own pixels, in its own counts."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from pacbed.analysis.fit.cutout import FITTED_RADIUS, Cutout
from pacbed.analysis.fit.effects.gamma import Gamma
from pacbed.analysis.fit.forward import ForwardModel
from pacbed.analysis.fit.refinement import Refinement
from pacbed.analysis.predict import Analysis
from pacbed.patterns import bin_pixels
from pacbed.simulation.rendering.background import BACKGROUND_WIDTHS

MOST_PIXELS = 2048  # along an edge that are rendered; between those of a larger camera hardly anything changes


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
    factor = max(1, -(-max(array.shape) // MOST_PIXELS))
    values, counted = bin_pixels(array, factor), bin_pixels(inside & analysis.ready.picture.used, factor) > 0.5
    # The gain is that of a pattern of unit mean over the pixels that count.
    whole = Cutout(values, counted, factor, (0, 0), np.ones((1, *values.shape)))
    rendering = ForwardModel(model.renderer, whole, mirrored=model.mirrored)
    if analysis.refinement is not None:
        rendering = analysis.refinement.seen_by(rendering)
    pattern = _refined(rendering.render(analysis.parameters), factor, array.shape)
    unit = model.cutout.bright - model.cutout.dark
    gain, constant, *smooth = model.solve(analysis.parameters).coefficients * unit
    image = gain * pattern + (constant + model.cutout.dark)
    # A Gaussian is a product of one in x and one in y.
    for weight, width in zip(smooth, BACKGROUND_WIDTHS, strict=True):
        image += weight * np.outer(*(np.exp(-0.5 * (way / width) ** 2) for way in (row, column)))
    gamma = _gamma(analysis.refinement)
    if gamma != 1:
        image = model.cutout.bright * np.maximum(image / model.cutout.bright, 0.0) ** gamma
    image[~inside] = np.nan
    return np.asarray(image, dtype=np.float32)


def _refined(image: np.ndarray, factor: int, shape: tuple[int, ...]) -> np.ndarray:
    """An image of squares of `factor` pixels on the pixels themselves, as many as `shape` (y, x) says."""
    if factor == 1:
        return image
    fine = ndimage.zoom(image, factor, order=1, mode="nearest", grid_mode=True)
    return np.pad(fine, [(0, size - found) for size, found in zip(shape, fine.shape, strict=True)], mode="edge")


def _gamma(refinement: Refinement | None) -> float:
    """The power that makes grey levels of counts; 1 where they are the same."""
    tried = () if refinement is None else refinement.effects
    return next((one.size for one in tried if one.adopted and one.name == Gamma.name), 1.0)
