"""TIFF: grey pages, palettes, ImageJ's calibration, and what cameras write into their tags."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from pacbed.analysis.recording.formats.grey import grey_levels, refuse_channels, without_coloured
from pacbed.analysis.recording.formats.rosetta import read_with
from pacbed.analysis.recording.guard.tiff_series import series_of
from pacbed.analysis.recording.scaled import Scaled, Turned
from pacbed.analysis.recording.stored import Axis, StoredImage
from pacbed.errors import PatternError

LARGE_BYTES = 256e6  # above this RosettaSciIO looks at the tags alone
GATAN_ROWS, GATAN_COLUMNS = (65004, 65010), (65003, 65009)  # tags of unit and step
OPACITY = (1, 2)  # TIFF's ExtraSamples
Turn = Callable[[np.ndarray], np.ndarray]
TURNS: dict[int, tuple[bool, Turn]] = {  # by tag 274: whether rows become columns, and pages, shape (..., y, x), shown
    2: (False, lambda pages: pages[..., ::-1]),
    3: (False, lambda pages: pages[..., ::-1, ::-1]),
    4: (False, lambda pages: pages[..., ::-1, :]),
    5: (True, lambda pages: pages.swapaxes(-1, -2)),
    6: (True, lambda pages: pages.swapaxes(-1, -2)[..., ::-1]),
    7: (True, lambda pages: pages.swapaxes(-1, -2)[..., ::-1, ::-1]),
    8: (True, lambda pages: pages.swapaxes(-1, -2)[..., ::-1, :]),
}
MAP_ENTRY, MOST_8_BIT = 257, 255  # of a TIFF colour map, 16 bits, in 8 bits: 65535 / 255


@contextmanager
def open_tiff(file: Path) -> Iterator[list[StoredImage]]:
    """The images of a TIFF file: a page each, or one for pages that belong together.

    Reduced copies are left out, and pages in colour where there are others.

    Raises
    ------
    PatternError
        There is no complete page, or no page has grey levels.
    """
    import tifffile

    with ExitStack() as stack:
        tiff = stack.enter_context(tifffile.TiffFile(file))
        all_series = series_of(tiff, str(file))
        described = _described(tiff, file, len(all_series))
        shown = [pair for pair in zip(all_series, described, strict=True) if not _is_aside(pair[0].keyframe)]
        if not shown:
            raise PatternError(f"file: {file} holds no complete page, accepted: a whole TIFF file")
        yield without_coloured(partial(_image, series, about, tiff, stack) for series, about in shown)


def _image(series: Any, about: StoredImage, tiff: Any, stack: ExitStack) -> StoredImage:
    values = _calibrated(_values(series, tiff.filename, stack), tiff)
    shown = replace(about, values=values, path="", title="")
    mark = series.keyframe.tags.get("Orientation")
    return shown if mark is None or mark.value not in TURNS else _turned(shown, *TURNS[mark.value])


def _turned(image: StoredImage, across: bool, turn: Turn) -> StoredImage:
    """Pages as the mark shows them that says where their first row and column belong; their steps follow."""
    values, axes = image.values, image.described_axes()
    turned = turn(values) if isinstance(values, np.ndarray) else Turned(values, turn)
    return replace(image, values=turned, axes=(*axes[:-2], axes[-1], axes[-2]) if across else axes)


def _is_aside(page: Any) -> bool:
    """Whether a page is a smaller copy, or the mask, of another."""
    return bool(page.is_reduced or page.is_mask)


def _values(series: Any, source: str, stack: ExitStack) -> Any:
    """Grey levels; those of several pages are read when they are indexed."""
    import tifffile

    page, kinds = series.keyframe, tifffile.PHOTOMETRIC
    if series.kind == "ome" and (missing := sum(part is None for part in series.pages)):
        told = f"{missing} of the {len(series.pages)} pages that its description names"  # tifffile would read zeros
        raise PatternError(f"file: {source} lacks {told}, accepted: a whole TIFF file")
    photometric, samples = page.photometric, page.samplesperpixel
    if photometric == kinds.MINISBLACK and samples == 1:
        return series.asarray() if len(series.shape) == 2 else _lazy(series, stack)
    if photometric == kinds.MINISWHITE and samples == 1 and page.dtype.kind == "u":
        return np.iinfo(page.dtype).max - series.asarray()
    if photometric == kinds.PALETTE and samples == 1:
        colours = np.asarray(page.colormap)
        deep = colours.max() > MOST_8_BIT  # some programs write the map's 16 bits, others 8 of them
        levels = (colours // MAP_ENTRY if deep else colours).astype(np.uint8)
        return grey_levels(np.moveaxis(levels, 0, -1)[series.asarray()], source)
    if photometric == kinds.MINISBLACK and samples == 2 and page.extrasamples and page.extrasamples[0] in OPACITY:
        return _channels_last(series, source)[..., 0]
    jpeg = page.compression in (tifffile.COMPRESSION.JPEG, tifffile.COMPRESSION.OJPEG)
    if photometric == kinds.RGB or (photometric == kinds.YCBCR and jpeg):
        return grey_levels(_channels_last(series, source), source)
    raise refuse_channels(f"{getattr(photometric, 'name', photometric)} with {samples} channels", source)


def _channels_last(series: Any, source: str) -> np.ndarray:
    if "S" not in series.axes:  # the description calls the axis of the channels another one
        raise refuse_channels(f"channels along none of its axes {series.axes}", source)
    return np.moveaxis(series.asarray(), series.axes.index("S"), -1)


def _calibrated(values: Any, tiff: Any) -> Any:
    """Values as ImageJ shows them: it stores signed ones with an offset, and its straight line may scale them."""
    about = (tiff.imagej_metadata or {}) if tiff.is_imagej else {}
    offset, factor, curve = (about.get(key, default) for key, default in (("c0", 0.0), ("c1", 1.0), ("cf", 0)))
    straight = curve == 0 and "c2" not in about and all(isinstance(one, int | float) for one in (offset, factor))
    return Scaled(values, factor, offset) if straight and factor > 0 and (offset, factor) != (0.0, 1.0) else values


def _lazy(series: Any, stack: ExitStack) -> Any:
    import zarr

    store = series.aszarr(level=0)
    stack.callback(store.close)
    return zarr.open_array(store, mode="r")


def _described(tiff: Any, file: Path, count: int) -> list[StoredImage]:
    """Axes and metadata of every series: ImageJ's, a camera's as RosettaSciIO reads them, or nothing."""
    pages = [series.keyframe for series in tiff.series]
    if tiff.is_imagej:
        step = _imagej_step(tiff)
        return [_blank(series, step) for series in tiff.series]
    plain = tiff.is_shaped or any(page.samplesperpixel > 1 for page in pages)
    if plain:
        return [_blank(series, (Axis(), Axis())) for series in tiff.series]
    found = read_with("tiff", file, lazy=file.stat().st_size > LARGE_BYTES, own_flags=False)
    return found if len(found) == count else [_blank(series, (Axis(), Axis())) for series in tiff.series]


def _blank(series: Any, step: tuple[Axis, Axis]) -> StoredImage:
    """An image of which nothing is known but the step along rows and columns of its pages."""
    kept = [code for code in series.axes if code != "S"]
    axes = tuple(step["YX".index(code)] if code in "YX" else Axis() for code in kept)
    return StoredImage(np.empty(0), axes)


def _imagej_step(tiff: Any) -> tuple[Axis, Axis]:
    """ImageJ writes pixels per unit into the resolution, and the unit into the description.

    HyperSpy writes these of its first axis, which may be that of a scan, and DigitalMicrograph's tags of all.
    """
    about, tags = tiff.imagej_metadata or {}, tiff.pages[0].tags
    if all(tag in tags for tag in (*GATAN_ROWS, *GATAN_COLUMNS)):
        rows, columns = (
            Axis(unit=str(tags[unit].value), scale=float(tags[step].value))
            for unit, step in (GATAN_ROWS, GATAN_COLUMNS)
        )
        return rows, columns
    steps = []
    for name, key in (("YResolution", "yunit"), ("XResolution", "unit")):
        unit = str(about.get(key) or about.get("unit") or "")
        if "\\u" in unit:
            unit = unit.encode("ascii", "replace").decode("unicode_escape")
        resolution = tags[name].value if name in tags else (0, 1)
        steps.append(Axis(unit=unit, scale=resolution[1] / resolution[0] if resolution[0] else None))
    return steps[0], steps[1]
