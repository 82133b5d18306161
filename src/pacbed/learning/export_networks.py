"""Rule export_networks: Keras networks to ONNX, each compared on rendered patterns that make its answers vary."""

from __future__ import annotations

import hashlib
import json
import logging
import warnings
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import onnxruntime

from pacbed.errors import FormatError, bad_value
from pacbed.learning.rendered.comparison import rendered_inputs
from pacbed.networks.trained import PARITY
from pacbed.outputs import file_aside, write_json
from pacbed.simulation.rendering.renderer import Renderer
from pacbed.simulation.table.rocking_table import RockingTable

log = logging.getLogger(__name__)
OPSET = 17  # understood by every onnxruntime the package accepts
TOLERANCE = 2e-5  # of a probability: float32 in another order of operations
# Spread of the most variable class's probability over the inputs; below it agreement would prove nothing.
LEAST_VARIATION = 10 * TOLERANCE
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
    write_json(report, Path(out_dir) / PARITY)


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
        What `check_parity` found, and the ``bytes`` and ``sha256`` of the ONNX file.

    Raises
    ------
    FormatError
        As `check_parity`, or the Keras file is damaged; then there is no ONNX file.
    """
    _check_whole(path)
    network = keras.models.load_model(path, compile=False)
    expected = {name: keras.ops.convert_to_numpy(answer) for name, answer in network(inputs, training=False).items()}
    with file_aside(out) as aside:
        with warnings.catch_warnings():
            # Keras asks numpy for an alias that is gone, to mend tf2onnx for numpy 2.
            warnings.simplefilter("ignore", FutureWarning)
            network.export(str(aside), format="onnx", verbose=False, opset_version=OPSET)
        found = check_parity(path.stem, aside, inputs, expected)
    content = out.read_bytes()
    return {**found, "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def _check_whole(path: Path) -> None:
    """Compare every member of a Keras file, which is a Zip, with its checksum; Keras itself does not."""
    try:
        with zipfile.ZipFile(path) as archive:
            bad = archive.testzip()
    except (OSError, zipfile.BadZipFile) as error:
        raise FormatError(f"network {path}: damaged ({error}); delete it and train it again") from error
    if bad is not None:
        raise FormatError(f"network {path}: {bad} is damaged; delete the file and train it again")


def check_parity(
    task: str, model: Path, inputs: dict[str, np.ndarray], expected: Mapping[str, np.ndarray]
) -> dict[str, float]:
    """Compare an ONNX file with what Keras answered.

    Parameters
    ----------
    task : str
        Task of the network, for messages.
    model : Path
        ONNX file.
    inputs : dict of ndarray
        ``pattern``, shape (pattern, y, x, 1), and ``convergence``, shape (pattern, 1), float32 [1].
    expected : mapping of ndarray, shape (pattern, class)
        Keras' probabilities by output [1].

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
    outputs = [item.name for item in session.get_outputs()]
    if set(outputs) != set(expected):
        raise FormatError(
            f"{task}.onnx: got outputs {', '.join(sorted(outputs))}, accepted: {', '.join(sorted(expected))}"
        )
    # One pattern at a time as well: the batch must not have been fixed by the conversion.
    compared = [slice(None), slice(0, 1), slice(1, 2)]
    answers = [session.run(outputs, {name: array[some] for name, array in inputs.items()}) for some in compared]
    difference = float(
        np.max(
            [
                np.abs(found - expected[name][some]).max()
                for some, answer in zip(compared, answers, strict=True)
                for name, found in zip(outputs, answer, strict=True)
            ]
        )
    )
    probability = expected["probability"]
    variation = float(probability.std(axis=0).max())
    if not difference <= TOLERANCE:
        raise FormatError(f"{task}.onnx: differs from Keras by {difference:.2g}, accepted: up to {TOLERANCE:g}")
    if probability.shape[1] > 1 and not variation >= LEAST_VARIATION:
        raise FormatError(
            f"{task}.keras: its answers to {len(probability)} different patterns vary by {variation:.2g}, "
            f"accepted: at least {LEAST_VARIATION:g}; train it longer"
        )
    return {"largest_difference": difference, "variation": variation, "samples": len(probability)}
