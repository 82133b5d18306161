"""Rule export_networks: Keras networks to ONNX, each compared on rendered patterns that make its answers vary."""

from __future__ import annotations

import json
import logging
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import onnxruntime

from pacbed.errors import FormatError, bad_value
from pacbed.learning.augment import degrade
from pacbed.learning.draws import DrawRanges, draw_parameters
from pacbed.learning.rendered_patterns import render_drawn
from pacbed.networks.description import NetworkDescription
from pacbed.networks.inputs import named_inputs, normalise_patterns
from pacbed.outputs import file_aside, write_json
from pacbed.simulation.rendering.renderer import Renderer
from pacbed.simulation.table.rocking_table import RockingTable

log = logging.getLogger(__name__)
OPSET = 17  # understood by every onnxruntime the package accepts
TOLERANCE = 2e-5  # of a probability: float32 in another order of operations
# Spread of the most variable class's probability over the inputs; below it agreement would prove nothing.
LEAST_VARIATION = 10 * TOLERANCE
COMPARED_PATTERNS, COMPARISON_SEED, COMPARISON_NOISE = 32, 20, 0.02
INPUT_NAMES = {"pattern", "convergence"}


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
    ParameterError
        Keras runs on another backend than TensorFlow.
    """
    if keras.backend.backend() != "tensorflow":
        raise bad_value("KERAS_BACKEND", keras.backend.backend(), "tensorflow for the export, whatever trained")
    renderer = Renderer(RockingTable.load(table_dir))
    report = {}
    for path in map(Path, networks):
        inputs = rendered_inputs(renderer, path.stem, json.loads(path.with_suffix(".json").read_text(encoding="utf-8")))
        report[path.stem] = export_network(path, Path(out_dir) / f"{path.stem}.onnx", inputs)
        log.info("%s.onnx: %s", path.stem, report[path.stem])
    write_json(report, Path(out_dir) / "parity.json")


def export_network(path: Path, out: Path, inputs: dict[str, np.ndarray]) -> dict[str, Any]:
    """Convert one network and compare it.

    Parameters
    ----------
    path, out : Path
        Keras file, and ONNX file to write.
    inputs : dict of ndarray
        From `rendered_inputs`.

    Returns
    -------
    dict
        What `check_parity` found, and the ``bytes`` of the ONNX file.

    Raises
    ------
    FormatError
        As `check_parity`; then there is no ONNX file.
    """
    network = keras.models.load_model(path, compile=False)
    expected = keras.ops.convert_to_numpy(network(inputs, training=False))
    with file_aside(out) as aside:
        with warnings.catch_warnings():
            # Keras asks numpy for an alias that is gone, to mend tf2onnx for numpy 2.
            warnings.simplefilter("ignore", FutureWarning)
            network.export(str(aside), format="onnx", verbose=False, opset_version=OPSET)
        found = check_parity(path.stem, aside, inputs, expected)
    return {**found, "bytes": out.stat().st_size}


def check_parity(task: str, model: Path, inputs: dict[str, np.ndarray], expected: np.ndarray) -> dict[str, float]:
    """Compare an ONNX file with what Keras answered.

    Parameters
    ----------
    task : str
        Task of the network, for messages.
    model : Path
        ONNX file.
    inputs : dict of ndarray
        ``pattern``, shape (pattern, y, x, 1), and ``convergence``, shape (pattern, 1), float32 [1].
    expected : ndarray, shape (pattern, class)
        Keras' probabilities [1].

    Returns
    -------
    dict
        ``largest_difference`` and ``variation`` of the probabilities [1], and ``samples``, the number of patterns.

    Raises
    ------
    FormatError
        They differ by more than `TOLERANCE`, or `expected` hardly varies.
    """
    session = onnxruntime.InferenceSession(str(model), providers=["CPUExecutionProvider"])
    names = [item.name for item in session.get_inputs()]
    if set(names) != INPUT_NAMES:
        raise FormatError(f"{task}.onnx: got inputs {', '.join(names)}, accepted: {', '.join(sorted(INPUT_NAMES))}")
    (answer,) = session.run(None, inputs)
    # One pattern at a time as well: the batch must not have been fixed by the conversion.
    singles = np.concatenate(
        [session.run(None, {name: array[i : i + 1] for name, array in inputs.items()})[0] for i in range(2)]
    )
    difference = float(max(np.abs(answer - expected).max(), np.abs(singles - expected[:2]).max()))
    variation = float(expected.std(axis=0).max())
    if not difference <= TOLERANCE:
        raise FormatError(f"{task}.onnx: differs from Keras by {difference:.2g}, accepted: up to {TOLERANCE:g}")
    if expected.shape[1] > 1 and not variation >= LEAST_VARIATION:
        raise FormatError(
            f"{task}.keras: its answers to {len(expected)} different patterns vary by {variation:.2g}, "
            f"accepted: at least {LEAST_VARIATION:g}; train it longer"
        )
    return {"largest_difference": difference, "variation": variation, "samples": len(expected)}


def rendered_inputs(renderer: Renderer, task: str, content: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """Patterns spread over a network's trained ranges, as its inputs.

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
    rng = np.random.default_rng(COMPARISON_SEED)
    ranges = DrawRanges(**{name: tuple(span) for name, span in content["ranges"].items()})
    drawn = draw_parameters(COMPARED_PATTERNS, ranges, rng=rng)
    images = render_drawn(renderer, drawn, pixels=description.pixels, max_angle_mrad=description.max_angle_mrad)
    patterns = normalise_patterns(degrade(images, rng=rng, noise_max=COMPARISON_NOISE))
    return named_inputs(patterns, description.convergence.normalise(drawn.convergence_mrad))
