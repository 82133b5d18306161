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
MODES = {2: "LA", 3: "RGB", 4: "RGBA"}  # by channels
PNG_START, PNG_DEPTH, PNG_COLOUR = b"\x89PNG", 24, 25  # places in the header (ISO/IEC 15948, 11.2.2)
PNG_CHANNELS = {2, 4, 6}  # colour types with several channels: RGB, grey and RGB with opacity


@contextmanager
def open_picture(file: Path) -> Iterator[list[StoredImage]]:
    """The picture as grey levels, shape (y, x), or (frame, y, x) for an animation.

    Raises
    ------
    PatternError
        Its channels are no grey levels.
    """
    import imageio.v3 as iio  # slow to import, and only pictures need it

    content = file.read_bytes()
    if _has_deep_channels(content):
        yield [StoredImage(_deep_levels(content, file.name))]
        return
    with iio.imopen(content, "r", plugin="pillow") as picture:
        mode = str(picture.metadata(index=0, exclude_applied=False)["mode"])
        frames = picture.properties(index=...).n_images or 1  # type: ignore[arg-type]
        # Turned as a camera's mark says, which every program that shows the picture does.
        turned = {"rotate": True}  # of the plugin alone
        shown = (np.asarray(picture.read(index=number, **turned)) for number in range(frames))
        levels = [_levels(one, mode, file.name) for one in shown]
    yield [StoredImage(levels[0] if len(levels) == 1 else np.stack(levels))]


def _has_deep_channels(content: bytes) -> bool:
    """Whether a PNG has channels of 16 bits, of which Pillow keeps eight."""
    header = content[: PNG_COLOUR + 1]
    return header.startswith(PNG_START) and header[PNG_DEPTH:-1] == b"\x10" and header[PNG_COLOUR] in PNG_CHANNELS


def _deep_levels(content: bytes, source: str) -> np.ndarray:
    import imagecodecs  # slow to import, and few pictures need it

    image = np.asarray(imagecodecs.png_decode(content))
    return _levels(image, MODES[image.shape[-1]], source)


def _levels(image: np.ndarray, mode: str, source: str) -> np.ndarray:
    if image.ndim == 2 and (mode in GREY_MODES or mode in COLOUR_MODES):
        return image
    if mode in OPACITY_MODES and image.ndim == 3 and image.shape[-1] == 2:
        return image[..., 0]
    if mode in COLOUR_MODES and image.ndim == 3 and image.shape[-1] in (3, 4):
        return grey_levels(image, source)
    raise refuse_channels(mode, source)
