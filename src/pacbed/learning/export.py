"""Trained networks to ONNX, each checked against Keras on rendered patterns that make its answers vary."""

from __future__ import annotations

import json
import logging
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import onnxruntime

from pacbed.errors import FormatError, bad_value
from pacbed.learning.augment import degrade
from pacbed.learning.draws import DrawRanges, draw_parameters, render_draw
from pacbed.networks.inputs import convergence_input, normalise_batch
from pacbed.outputs import file_aside, write_json
from pacbed.simulation.rendering.renderer import Renderer
from pacbed.simulation.table.rocking_table import RockingTable

log = logging.getLogger(__name__)
OPSET = 17  # understood by every onnxruntime the package accepts
TOLERANCE = 2e-5  # of a probability: float32 in another order of operations
# Spread of the most variable class's probability over the inputs; below it agreement would prove nothing.
LEAST_VARIATION = 10 * TOLERANCE
SAMPLES = 32
SEED = 20
INPUTS = {"pattern", "convergence"}


def export_networks(networks: Sequence[str | Path], *, table_dir: str | Path, out_dir: str | Path) -> None:
    """Write ``<task>.onnx`` of each network, and ``parity.json``.

    Parameters
    ----------
    networks : sequence of path
        Files ``<task>.keras``, each with its description ``<task>.json`` beside it.
    table_dir : path
        Rocking table; renders the patterns of the comparison.
    out_dir : path
        Folder of the results.

    Raises
    ------
    FormatError
        ONNX runtime and Keras disagree, or a network gives the same answer to every pattern.
    """
    if keras.backend.backend() != "tensorflow":
        raise bad_value("KERAS_BACKEND", keras.backend.backend(), "tensorflow for the export, whatever trained")
    out_dir = Path(out_dir)
    out_dir.mkdir(parents=True, exist_ok=True)
    renderer = Renderer(RockingTable.load(table_dir))
    report = {}
    for path in map(Path, networks):
        out = out_dir / f"{path.stem}.onnx"
        inputs = rendered_inputs(renderer, json.loads(path.with_suffix(".json").read_text(encoding="utf-8")))
        report[path.stem] = export_network(path, out, inputs)
        log.info("%s: %s", out.name, report[path.stem])
    write_json(report, out_dir / "parity.json")


def export_network(path: str | Path, out: str | Path, inputs: dict[str, np.ndarray]) -> dict[str, Any]:
    """Convert one network, compare on inputs (see `rendered_inputs`); returns what ``parity.json`` says of it."""
    path, out = Path(path), Path(out)
    network = keras.models.load_model(path, compile=False)
    expected = keras.ops.convert_to_numpy(network(inputs, training=False))
    with file_aside(out) as aside:
        with warnings.catch_warnings():
            # Keras asks numpy for an alias that is gone, to mend tf2onnx for numpy 2.
            warnings.simplefilter("ignore", FutureWarning)
            network.export(str(aside), format="onnx", verbose=False, opset_version=OPSET)
        found = check_parity(path.stem, aside, inputs, expected)
    return {**found, "bytes": out.stat().st_size}


def check_parity(name: str, model: Path, inputs: dict[str, np.ndarray], expected: np.ndarray) -> dict[str, float]:
    """Compare an ONNX file with what Keras answered.

    Parameters
    ----------
    name : str
        Of the network, for messages.
    model : path
        ONNX file.
    inputs : dict of ndarray
        ``pattern`` (n, p, p, 1) and ``convergence`` (n, 1).
    expected : ndarray, shape (n, class)
        Keras' probabilities.

    Returns
    -------
    dict
        ``largest_difference`` and ``variation`` of the probabilities, and ``samples``.

    Raises
    ------
    FormatError
        They differ by more than `TOLERANCE`, or `expected` hardly varies.
    """
    session = onnxruntime.InferenceSession(str(model), providers=["CPUExecutionProvider"])
    if {item.name for item in session.get_inputs()} != INPUTS:
        raise FormatError(f"{name}.onnx: got inputs {[item.name for item in session.get_inputs()]}, accepted: {INPUTS}")
    (answer,) = session.run(None, inputs)
    # One pattern at a time as well: the batch must not have been fixed by the conversion.
    singles = np.concatenate(
        [session.run(None, {key: array[i : i + 1] for key, array in inputs.items()})[0] for i in range(2)]
    )
    difference = float(max(np.abs(answer - expected).max(), np.abs(singles - expected[:2]).max()))
    variation = float(expected.std(axis=0).max())
    if not difference <= TOLERANCE:
        raise FormatError(f"{name}.onnx: differs from Keras by {difference:.2g}, accepted: up to {TOLERANCE:g}")
    if expected.shape[1] > 1 and not variation >= LEAST_VARIATION:
        raise FormatError(
            f"{name}.keras: its answers to {len(expected)} different patterns vary by {variation:.2g}, "
            f"accepted: at least {LEAST_VARIATION:g}; train it longer"
        )
    return {"largest_difference": difference, "variation": variation, "samples": len(expected)}


def rendered_inputs(renderer: Renderer, description: dict[str, Any]) -> dict[str, np.ndarray]:
    """Patterns spread over a network's trained ranges, as its inputs.

    Parameters
    ----------
    renderer : Renderer
    description : dict
        Content of the network's ``.json``.

    Returns
    -------
    dict of ndarray
        ``pattern`` (n, p, p, 1) and ``convergence`` (n, 1), float32.
    """
    rng = np.random.default_rng(SEED)
    ranges = DrawRanges(**{name: tuple(span) for name, span in description["ranges"].items()})
    draw = draw_parameters(SAMPLES, ranges, rng=rng)
    images = render_draw(renderer, draw, pixels=description["pixels"], max_angle_mrad=description["max_angle_mrad"])
    convergence = convergence_input(
        draw.convergence_mrad,
        center_mrad=description["convergence_center_mrad"],
        half_width_mrad=description["convergence_half_width_mrad"],
    )
    return {
        "pattern": normalise_batch(degrade(images, rng=rng, noise_max=0.02))[..., None],
        "convergence": convergence,
    }
