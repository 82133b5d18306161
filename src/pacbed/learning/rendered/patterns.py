"""Training patterns rendered from the rocking table about their bright region, and kept for a killed training."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy.ndimage import affine_transform

from pacbed.learning.draws import DrawnParameters
from pacbed.logs import progress
from pacbed.networks.frame import PolarFrame
from pacbed.outline import find_outline
from pacbed.outputs import file_aside
from pacbed.patterns import Geometry
from pacbed.simulation.rendering.renderer import Renderer

PATTERNS_PER_FILE = 2048  # some seconds of rendering are lost when a job is killed
# Edge of a rendered image, and its half width over the convergence angle: bright regions are up to 1.6 times as wide
# as the disk, and a frame reaches 1.8 times further. Pixels cost little beside the sums over the beams, which are done
# once for the bright region and the frame about it.
PIXELS, FIELD = 100, 2.9
OUTLINE_FIELD = 2.2  # half width of what the bright region is looked for in, over the convergence angle


class FramedPatterns(NamedTuple):
    """Patterns about their bright regions, free of noise and background.

    Attributes
    ----------
    images : ndarray of float16, shape (pattern, y, x)
        In the pixels of a `PolarFrame`, each relative to its maximum [1]. A network's input has noise far above the
        5e-4 of half precision.
    radius_mrad : ndarray, shape (pattern,)
        Radius of the bright region [mrad].
    brightest : ndarray, shape (pattern,)
        Fraction of the beam per solid angle where an image is brightest [1/mrad^2].
    """

    images: np.ndarray
    radius_mrad: np.ndarray
    brightest: np.ndarray


def render_framed(
    renderer: Renderer, drawn: DrawnParameters, frame: PolarFrame, *, max_angle_mrad: float, threads: int = 1
) -> FramedPatterns:
    """Render patterns, find their bright regions as a prediction does, and lay the frame about them.

    Parameters
    ----------
    renderer : Renderer
        Renders from several threads at once.
    drawn : DrawnParameters
        One entry for each pattern; those of equal thickness should be neighbours. Scale and shift are left out: the
        frame does not depend on them.
    frame : PolarFrame
        Pixels of the images.
    max_angle_mrad : float
        Half width of the largest field of view that the bright region is looked for in [mrad].
    threads : int
        Threads that render.
    """
    count = len(drawn)
    images = np.empty((count, frame.pixels, frame.pixels), dtype=np.float16)
    radius_mrad, brightest = np.empty(count), np.empty(count)

    def render_neighbours(start: int, stop: int) -> None:
        for index in range(start, stop):
            view = Geometry.field_of_view(PIXELS, FIELD * float(drawn.convergence_mrad[index]))
            wide = renderer.render(
                thickness_nm=float(drawn.thickness_nm[index]),
                convergence_mrad=float(drawn.convergence_mrad[index]),
                mistilt_mrad=drawn.mistilt_mrad[index],
                geometry=replace(view, rotation_deg=float(drawn.rotation_deg[index])),
                blur_mrad=float(drawn.blur_mrad[index]),
            )
            image, radius_px = _about_bright_region(wide, frame, max_angle_mrad / view.pixel_mrad)
            peak = max(float(image.max()), 1e-30)
            images[index] = image / peak
            radius_mrad[index] = radius_px * view.pixel_mrad
            brightest[index] = peak / view.pixel_mrad**2

    # Neighbours of one thickness stay with one thread: the renderer prepares a thickness once for all of them.
    starts = np.flatnonzero(np.diff(drawn.thickness_nm, prepend=-1.0)).tolist()
    with ThreadPoolExecutor(max(1, threads)) as pool:
        list(pool.map(render_neighbours, starts, [*starts[1:], count]))
    return FramedPatterns(images, radius_mrad, brightest)


def stored_patterns(
    renderer: Renderer,
    drawn: DrawnParameters,
    frame: PolarFrame,
    *,
    max_angle_mrad: float,
    folder: str | Path,
    threads: int = 1,
) -> FramedPatterns:
    """Render the patterns of drawn parameters file by file, or take those already in the folder.

    Parameters
    ----------
    renderer, drawn, frame, max_angle_mrad, threads
        As for `render_framed`.
    folder : path
        Holds the files; `claim_folder` empties it when anything that decides them changes.
    """
    parts: list[FramedPatterns] = []
    starts = range(0, len(drawn), PATTERNS_PER_FILE)
    for start in progress(starts, total=len(starts), label="files of training patterns"):
        some = drawn.select(slice(start, start + PATTERNS_PER_FILE))
        path = Path(folder) / f"{start // PATTERNS_PER_FILE:05d}.npz"
        if not path.is_file():
            rendered = render_framed(renderer, some, frame, max_angle_mrad=max_angle_mrad, threads=threads)
            with file_aside(path) as aside, open(aside, "wb") as file:
                np.savez(file, **rendered._asdict())
        with np.load(path) as stored:
            parts.append(FramedPatterns(*(stored[name] for name in FramedPatterns._fields)))
    return FramedPatterns(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True)))


def _about_bright_region(wide: np.ndarray, frame: PolarFrame, max_radius_px: float) -> tuple[np.ndarray, float]:
    """An image (y, x) on the pixels of a frame about its bright region, and the radius of that [pixels of the image].

    Interpolation blurs by half a pixel of the frame, as does that of a recorded pattern in a prediction.
    """
    half = round(min(OUTLINE_FIELD / FIELD * PIXELS / 2, max_radius_px))
    middle = PIXELS // 2
    searched = slice(max(0, middle - half), middle + half)
    outline = find_outline(wide[searched, searched])
    ratio = frame.pixel * outline.radius_px
    cx, cy = (place + searched.start for place in outline.center_px)
    origin = np.array([cy, cx]) - ratio * (frame.pixels - 1) / 2
    shape = (frame.pixels, frame.pixels)
    image = affine_transform(wide, np.full(2, ratio), origin, output_shape=shape, order=1, mode="nearest")
    return image, outline.radius_px
