"""Patterns on which an exported network is compared with its original: spread over all that it was trained on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from pacbed.learning.draws import DrawRanges, draw_parameters
from pacbed.learning.rendered.patterns import render_framed
from pacbed.networks.description import NetworkDescription
from pacbed.networks.frame import Placement, PolarFrame
from pacbed.networks.inputs import named_inputs, normalise_patterns
from pacbed.simulation.rendering.renderer import Renderer

PATTERNS, SEED, NOISE = 32, 20, 0.02


def rendered_inputs(renderer: Renderer, task: str, content: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """Patterns spread over a network's trained ranges, as its inputs, with some noise.

    Parameters
    ----------
    renderer : Renderer
        Renders the crystal's patterns.
    task : {"scale", "thickness", "mistilt"}
        Task of the network.
    content : mapping
        Content of the network's ``.json``.

    Returns
    -------
    dict of ndarray
        ``pattern``, shape (pattern, y, x, 1), and ``convergence``, shape (pattern, 1), float32 [1].

    Raises
    ------
    FormatError
        The description is incomplete.
    """
    description = NetworkDescription.from_json(task, content)
    rng = np.random.default_rng(SEED)
    ranges = DrawRanges(**{name: tuple(span) for name, span in content["ranges"].items()})
    drawn = draw_parameters(PATTERNS, ranges, rng=rng)
    # A Cartesian network gets the same images: as pictures of another field of view they make its answers vary as well.
    frame = description.frame or PolarFrame(pixels=description.pixels)
    images = render_framed(renderer, drawn, frame, max_angle_mrad=description.max_angle_mrad).images.astype(np.float32)
    images += NOISE * rng.standard_normal(images.shape, dtype=np.float32)
    patterns = normalise_patterns(images)
    if description.frame is not None:
        turn = rng.uniform(0, 2 * np.pi, PATTERNS)
        patterns = frame.maps(patterns, Placement.centred(turn, np.zeros(PATTERNS, dtype=bool)))
    return named_inputs(patterns, description.convergence.normalise(drawn.convergence_mrad))
