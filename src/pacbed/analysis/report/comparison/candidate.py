"""A candidate beside the recorded pattern: three pictures and its misfit."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import imageio.v3 as iio
import numpy as np
from matplotlib import colormaps

from pacbed.analysis.fit.parameters import PatternParameters
from pacbed.analysis.report.comparison.kept import Kept
from pacbed.analysis.report.comparison.place import Place
from pacbed.bundle.reader import Bundle
from pacbed.errors import bad_value

LIGHT, SIGNED, HALF_SPAN = "inferno", "RdBu_r", 0.25  # as on the sheet
NOT_COMPARED = (127, 127, 127)
TILE_PX = 300  # about this edge: recorded pixels become squares of as many as fit
MARK, DARK = (79, 209, 255), (34, 34, 34)
ARM_PX = 7  # of a cross
RIM_POINTS = 181
SHIFTS = ((-1, 0), (2, 1), (0, -1), (1, 2))  # pixels


class Wanted(NamedTuple):
    """What somebody wants to see; None where the best match stays.

    Attributes
    ----------
    thickness_nm, convergence_mrad, mistilt_mrad, azimuth_deg : float or None
        See `Place`.
    point : int or None
        Of the misfit curve, which then lies on the camera as it was compared there.
    """

    thickness_nm: float | None = None
    convergence_mrad: float | None = None
    mistilt_mrad: float | None = None
    azimuth_deg: float | None = None
    point: int | None = None


class Compared(NamedTuple):
    """A candidate beside the pattern.

    Attributes
    ----------
    png : bytes
        Recorded pattern, candidate and difference side by side, as three squares of equal size.
    place : Place
        Where, with its misfit over the least.
    """

    png: bytes
    place: Place


def compare(bundle: Bundle, kept: Kept, wanted: Wanted) -> Compared:
    """Compare a candidate with the recorded pattern; gain and background are fitted to it.

    Raises
    ------
    ParameterError
        It lies outside what the bundle can render, or there is no such point.
    """
    at = _parameters(bundle, kept, wanted)
    middle, fine = kept.model(bundle, "middle"), kept.model(bundle, "fine")
    ratio = middle.misfit(middle.residual(at)) / kept.least
    candidate, cutout = fine.image(at), fine.cutout
    shown = [np.where(cutout.mask, image, np.nan) for image in (cutout.values, candidate)]
    top = max(float(np.nanpercentile(shown[1], 99.8)), 1e-6)
    tiles = [_coloured(image / top, LIGHT, 0.0, 1.0) for image in shown]
    tiles.append(_coloured((shown[0] - shown[1]) / top, SIGNED, -HALF_SPAN, HALF_SPAN))
    scale = max(1, round(TILE_PX / max(cutout.mask.shape)))
    marked = [_marked(_squared(tile, scale), kept, at, scale, dark=index == 2) for index, tile in enumerate(tiles)]
    content = iio.imwrite("<bytes>", np.concatenate(marked, axis=1), extension=".png", compress_level=1)
    return Compared(content, Place.of(at, ratio, mirrored=kept.mirrored))


def _parameters(bundle: Bundle, kept: Kept, wanted: Wanted) -> PatternParameters:
    place = Place.of(kept.best, 1.0, mirrored=kept.mirrored)
    if wanted.point is not None:
        if not 0 <= wanted.point < len(kept.curve):
            raise bad_value("point", wanted.point, f"0 to {len(kept.curve) - 1}")
        place = kept.curve[wanted.point]
    given = {name: value for name, value in wanted._asdict().items() if value is not None and name != "point"}
    place = replace(place, **given)
    deepest, cone = bundle.table.thickness_max_nm, bundle.table.cone_mrad
    if not 0 <= place.thickness_nm <= deepest:
        raise bad_value("thickness_nm", place.thickness_nm, f"0 to {deepest:g} [nm]")
    if not 0.1 <= place.convergence_mrad < cone:
        raise bad_value("convergence_mrad", place.convergence_mrad, f"0.1 to {cone:g} [mrad]")
    most = bundle.renderer.mistilt_max_mrad(place.convergence_mrad)
    if not 0 <= place.mistilt_mrad <= most:
        raise bad_value("mistilt_mrad", place.mistilt_mrad, f"0 to {most:.2f} [mrad] at this convergence angle")
    return place.parameters(mirrored=kept.mirrored)


def _coloured(image: np.ndarray, colours: str, low: float, high: float) -> np.ndarray:
    """Levels of shape (y, x) as uint8 colours of shape (y, x, 3); grey where nothing is compared."""
    seen = np.isfinite(image)
    levels = np.clip((np.where(seen, image, low) - low) / (high - low), 0, 1)
    rgb = colormaps[colours](levels, bytes=True)[..., :3]
    rgb[~seen] = NOT_COMPARED
    return np.asarray(rgb)


def _squared(tile: np.ndarray, scale: int) -> np.ndarray:
    """A tile of shape (y, x, 3) with larger pixels, filled up to a square at right and below."""
    side = max(tile.shape[:2])
    square = np.full((side, side, 3), NOT_COMPARED, dtype=np.uint8)
    square[: tile.shape[0], : tile.shape[1]] = tile
    return np.repeat(np.repeat(square, scale, axis=0), scale, axis=1)


def _marked(tile: np.ndarray, kept: Kept, at: PatternParameters, scale: int, *, dark: bool) -> np.ndarray:
    """A tile with the rim of the direct disk, a plus at the beam and a cross at the zone axis."""
    geometry = kept.cutouts["fine"].geometry(at, mirrored=kept.mirrored)
    turn = np.linspace(0, 2 * np.pi, RIM_POINTS)[:-1]
    rim = geometry.distorted(at.convergence_mrad * np.array([np.cos(turn), np.sin(turn)]))
    axis = geometry.distorted(-at.mistilt_in_image(mirrored=kept.mirrored))[:, None]
    arm = np.arange(-ARM_PX, ARM_PX + 1)
    plus = np.concatenate([[arm, 0 * arm], [0 * arm, arm]], axis=1)
    cross = np.concatenate([[arm, arm], [arm, -arm]], axis=1) * 0.7
    center = np.array(geometry.center_px)[:, None]

    def place(points_mrad: np.ndarray) -> np.ndarray:
        return np.asarray(scale * (points_mrad / geometry.pixel_mrad + center + 0.5))

    ink = DARK if dark else MARK
    _dots(tile, place(rim)[:, ::2], ink)
    for points in (place(0 * axis) + plus, place(axis) + cross):
        if not dark:
            for shift in SHIFTS:  # a dark edge, so that the mark is seen on any colour
                _dots(tile, points + np.array(shift)[:, None], DARK)
        _dots(tile, points, ink)
        _dots(tile, points + 1, ink)
    return tile


def _dots(tile: np.ndarray, points: np.ndarray, colour: tuple[int, int, int]) -> None:
    """Colour the pixels at points (x, y), shape (2, point), of a tile of shape (y, x, 3); those outside are left."""
    column, row = np.floor(points).astype(int)
    inside = (row >= 0) & (column >= 0) & (row < tile.shape[0]) & (column < tile.shape[1])
    tile[row[inside], column[inside]] = colour
