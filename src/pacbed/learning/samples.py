"""Training patterns on disk: rendered block by block, so that a killed training finds what it had."""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from pacbed.learning.draws import Draw, SeriesSplit, render_draw
from pacbed.logs import progress
from pacbed.outputs import file_aside
from pacbed.patterns import polar_to_vector
from pacbed.simulation.rendering.renderer import Renderer
from pacbed.simulation.stack.stored import open_stack

log = logging.getLogger(__name__)
BLOCK = 2048  # patterns per file: some seconds of rendering at stake when a job is killed


def rendered_samples(
    renderer: Renderer, draw: Draw, *, pixels: int, max_angle_mrad: float, folder: str | Path, threads: int = 1
) -> np.ndarray:
    """Render the patterns of a draw, or take those already in the folder.

    Parameters
    ----------
    renderer : Renderer
    draw : Draw
        n patterns.
    pixels : int
        Edge of the images.
    max_angle_mrad : float
        Half width of the field of view at scale 1 [mrad].
    folder : path
        Holds the blocks; the caller empties it when any parameter changes (`claim_folder`).
    threads : int
        Threads that render.

    Returns
    -------
    ndarray of float16, shape (n, pixels, pixels)
        Each pattern relative to its maximum. A network's input has noise far above the 5e-4 of half precision.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    images = np.empty((len(draw), pixels, pixels), dtype=np.float16)
    starts = range(0, len(draw), BLOCK)
    for start in progress(starts, total=len(starts), label="blocks of training patterns"):
        part = slice(start, min(start + BLOCK, len(draw)))
        path = folder / f"{start // BLOCK:05d}.npy"
        if not path.is_file():
            block = render_draw(
                renderer, draw.part(part), pixels=pixels, max_angle_mrad=max_angle_mrad, threads=threads
            )
            block /= np.maximum(block.max(axis=(1, 2), keepdims=True), np.float32(1e-30))
            with file_aside(path) as aside:
                np.save(aside, block.astype(np.float16))
        images[part] = np.load(path)
    return images


def claim_folder(folder: str | Path, settings: Mapping[str, Any]) -> None:
    """Empty a folder of training state unless it was begun with the same settings.

    Parameters
    ----------
    folder : path
        Made if missing.
    settings : mapping
        Everything that decides the outcome; JSON values.
    """
    folder = Path(folder)
    note = folder / "settings.json"
    text = json.dumps(settings, sort_keys=True, indent=1)
    if note.is_file() and note.read_text(encoding="utf-8") == text:
        log.info("continuing what lies in %s", folder)
        return
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    note.write_text(text, encoding="utf-8")


def series_split(stack_dir: str | Path, group: np.ndarray) -> SeriesSplit:
    """Which series of a stack are held out of training.

    Parameters
    ----------
    stack_dir : path
        Folder that `assemble_stack` wrote.
    group : ndarray, shape (operation, 2, 2)
        Beam group of the crystal.
    """
    stack = open_stack(stack_dir)
    pairs = zip(np.asarray(stack["mistilt_mrad"]), np.asarray(stack["azimuth_deg"]), strict=True)
    return SeriesSplit(
        convergence_mrad=np.asarray(stack["convergence_mrad"]),
        mistilt_mrad=np.array([polar_to_vector(float(size), float(azimuth)) for size, azimuth in pairs]),
        held_out=np.asarray(stack["split"]) == 1,
        group=group,
    )
