"""PNG, JPEG, GIF and BMP: grey levels, in one picture or several frames."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from pacbed.analysis.recording.formats.grey import grey_levels, refuse_channels
from pacbed.analysis.recording.stored import StoredImage

GREY_MODES = {"1", "L", "I", "F", "I;16", "I;16B", "I;16L", "I;16N"}
OPACITY_MODES = {"LA"}
COLOUR_MODES = {"RGB", "RGBA", "P", "PA"}  # palettes are applied


@contextmanager
def open_picture(file: Path) -> Iterator[list[StoredImage]]:
    """The picture as grey levels, shape (y, x), or (frame, y, x) for an animation.

    Raises
    ------
    PatternError
        Its channels are no grey levels.
    """
    import imageio.v3 as iio  # slow to import, and only pictures need it

    with iio.imopen(file.read_bytes(), "r", plugin="pillow") as picture:
        mode = str(picture.metadata(index=0, exclude_applied=False)["mode"])
        frames = picture.properties(index=...).n_images or 1  # type: ignore[arg-type]
        levels = [_levels(np.asarray(picture.read(index=number)), mode, file.name) for number in range(frames)]
    yield [StoredImage(levels[0] if len(levels) == 1 else np.stack(levels))]


def _levels(image: np.ndarray, mode: str, source: str) -> np.ndarray:
    if image.ndim == 2 and (mode in GREY_MODES or mode in COLOUR_MODES):
        return image
    if mode in OPACITY_MODES and image.ndim == 3 and image.shape[-1] == 2:
        return image[..., 0]
    if mode in COLOUR_MODES and image.ndim == 3 and image.shape[-1] in (3, 4):
        return grey_levels(image, source)
    raise refuse_channels(mode, source)
