"""Training patterns rendered from the rocking table at drawn parameters, and kept on disk for a killed training."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from pacbed.learning.draws import DrawnParameters
from pacbed.logs import progress
from pacbed.outputs import file_aside
from pacbed.patterns import Geometry
from pacbed.simulation.rendering.renderer import Renderer

PATTERNS_PER_FILE = 2048  # some seconds of rendering are lost when a job is killed


def render_drawn(
    renderer: Renderer, drawn: DrawnParameters, *, pixels: int, max_angle_mrad: float, threads: int = 1
) -> np.ndarray:
    """Render the patterns of drawn parameters, free of noise and background.

    Parameters
    ----------
    renderer : Renderer
        Renders from several threads at once.
    drawn : DrawnParameters
        One entry for each pattern; those of equal thickness should be neighbours.
    pixels : int
        Edge of the images [pixels].
    max_angle_mrad : float
        Half width of the field of view at scale 1 [mrad].
    threads : int
        Threads that render.

    Returns
    -------
    ndarray of float32, shape (pattern, y, x)
        Fraction of the beam per pixel [1].
    """
    images = np.empty((len(drawn), pixels, pixels), dtype=np.float32)

    def render_neighbours(start: int, stop: int) -> None:
        for index in range(start, stop):
            pixel_mrad = 2 * max_angle_mrad * drawn.scale[index] / pixels
            center = (pixels - 1) / 2 + drawn.shift[index] * pixels
            images[index] = renderer.render(
                thickness_nm=float(drawn.thickness_nm[index]),
                convergence_mrad=float(drawn.convergence_mrad[index]),
                mistilt_mrad=tuple(drawn.mistilt_mrad[index]),
                geometry=Geometry(
                    shape=(pixels, pixels),
                    pixel_mrad=float(pixel_mrad),
                    center_px=(float(center[0]), float(center[1])),
                    rotation_deg=float(drawn.rotation_deg[index]),
                ),
                blur_mrad=float(drawn.blur_mrad[index]),
            )

    # Neighbours of one thickness stay with one thread: the renderer prepares a thickness once for all of them.
    starts = np.flatnonzero(np.diff(drawn.thickness_nm, prepend=-1.0)).tolist()
    with ThreadPoolExecutor(max(1, threads)) as pool:
        list(pool.map(render_neighbours, starts, [*starts[1:], len(drawn)]))
    return images


def stored_patterns(
    renderer: Renderer,
    drawn: DrawnParameters,
    *,
    pixels: int,
    max_angle_mrad: float,
    folder: str | Path,
    threads: int = 1,
) -> np.ndarray:
    """Render the patterns of drawn parameters file by file, or take those already in the folder.

    Parameters
    ----------
    renderer : Renderer
    drawn : DrawnParameters
        One entry for each pattern.
    pixels : int
        Edge of the images [pixels].
    max_angle_mrad : float
        Half width of the field of view at scale 1 [mrad].
    folder : path
        Holds the files; `claim_folder` empties it when anything that decides them changes.
    threads : int
        Threads that render.

    Returns
    -------
    ndarray of float16, shape (pattern, y, x)
        Each relative to its maximum [1]. A network's input has noise far above the 5e-4 of half precision.
    """
    images = np.empty((len(drawn), pixels, pixels), dtype=np.float16)
    starts = range(0, len(drawn), PATTERNS_PER_FILE)
    for start in progress(starts, total=len(starts), label="files of training patterns"):
        some = slice(start, min(start + PATTERNS_PER_FILE, len(drawn)))
        path = Path(folder) / f"{start // PATTERNS_PER_FILE:05d}.npy"
        if not path.is_file():
            rendered = render_drawn(
                renderer, drawn.select(some), pixels=pixels, max_angle_mrad=max_angle_mrad, threads=threads
            )
            rendered /= np.maximum(rendered.max(axis=(1, 2), keepdims=True), np.float32(1e-30))
            with file_aside(path) as aside:
                np.save(aside, rendered.astype(np.float16))
        images[some] = np.load(path)
    return images
