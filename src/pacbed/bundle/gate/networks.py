"""The networks of a bundle: ONNX of known operators, all in one file, shapes as described, no value out of bounds."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import Any

from pacbed.errors import FormatError
from pacbed.networks.description import NetworkDescription

LARGEST_FILE = 2**28  # bytes; the largest of the paper's recipe has 92 MB
BATCH = 16  # maps of one pattern that a prediction asks about at once
LARGEST_VALUE = 2**26  # elements of one value at that batch
MOST_NODES = 5_000
OPSETS = range(7, 26)
DOMAINS = ("", "ai.onnx")
# What convolutional classifiers are made of. None of them reads files, loops, calls others or makes noise.
OPERATORS = {
    *("Add", "AveragePool", "BatchNormalization", "Cast", "Clip", "Concat", "Constant", "Conv", "Div", "Flatten"),
    *("Gather", "Gemm", "GlobalAveragePool", "GlobalMaxPool", "Identity", "MatMul", "MaxPool", "Mul", "Pad"),
    *("ReduceMax", "ReduceMean", "Relu", "Reshape", "Shape", "Sigmoid", "Slice", "Softmax", "Squeeze", "Sub"),
    *("Transpose", "Unsqueeze"),
}
NUMBER_TYPES = ("FLOAT", "FLOAT16", "DOUBLE", "INT32", "INT64", "UINT8", "BOOL")


def check_network(task: str, model: bytes, description: NetworkDescription) -> None:
    """Refuse a network that is anything but numbers and known operators.

    Parameters
    ----------
    task : str
        For the error.
    model : bytes
        ONNX file.
    description : NetworkDescription
        What goes in and what comes out.

    Raises
    ------
    FormatError
    """
    import onnx
    from google.protobuf.message import DecodeError

    if len(model) > LARGEST_FILE:
        raise _refusal(task, f"{len(model)} bytes", f"at most {LARGEST_FILE}")
    try:
        network = onnx.load_model_from_string(model)
    except (DecodeError, ValueError, RecursionError) as error:
        raise FormatError(f"{task}.onnx: damaged ({type(error).__name__})") from None
    _check_nodes(task, network)
    for tensor in _tensors(network.graph):
        _check_tensor(task, tensor)
    _check_border(task, network.graph, description)
    _check_values(task, network)


def _check_nodes(task: str, network: Any) -> None:
    if network.functions or network.training_info or network.graph.sparse_initializer:
        raise _refusal(task, "functions, training or sparse tensors", "a graph of default operators")
    versions = [entry.version for entry in network.opset_import if entry.domain in DOMAINS]
    if len(versions) != 1 or versions[0] not in OPSETS or len(network.graph.node) > MOST_NODES:
        raise _refusal(task, f"operator sets {versions}, {len(network.graph.node)} nodes", "one set, from 7 to 25")
    for node in network.graph.node:
        if node.domain not in DOMAINS or node.op_type not in OPERATORS:
            got = f"{node.domain}.{node.op_type}".lstrip(".")
            raise _refusal(task, f"the operator {got[:60]!r}", "those of convolutional classifiers")
        if any(one.HasField("g") or one.graphs or one.sparse_tensors or one.ref_attr_name for one in node.attribute):
            raise _refusal(task, f"a graph inside {node.op_type}", "one graph")


def _tensors(graph: Any) -> Iterator[Any]:
    """All constants, those inside attributes included."""
    yield from graph.initializer
    for node in graph.node:
        for attribute in node.attribute:
            yield from ([attribute.t] if attribute.HasField("t") else [])
            yield from attribute.tensors


def _check_tensor(task: str, tensor: Any) -> None:
    import onnx

    if tensor.external_data or tensor.data_location != onnx.TensorProto.DEFAULT:
        raise _refusal(task, f"external data for {tensor.name[:60]!r}", "all data in the file itself")
    names = {getattr(onnx.TensorProto, name): name for name in NUMBER_TYPES}
    if tensor.data_type not in names:
        raise _refusal(task, f"a tensor of type {tensor.data_type}", "numbers")
    if any(length < 0 for length in tensor.dims) or prod(tensor.dims) > LARGEST_VALUE:
        raise _refusal(task, f"a tensor of shape {list(tensor.dims)[:8]}", f"at most {LARGEST_VALUE} elements")
    try:
        onnx.checker.check_tensor(tensor)
    except onnx.checker.ValidationError:
        raise _refusal(
            task, f"a tensor {tensor.name[:60]!r} of another size", "as many elements as its shape"
        ) from None


def _check_border(task: str, graph: Any, description: NetworkDescription) -> None:
    """Inputs and outputs have the shapes that the description says, the first length free."""
    frame, constants = description.frame, {tensor.name for tensor in graph.initializer}
    rows, columns = (description.pixels,) * 2 if frame is None else (frame.radii, frame.angles)
    wanted = {"pattern": [rows, columns, 1], "convergence": [1]}
    got = {value.name: _shape(value) for value in graph.input if value.name not in constants}
    if {name: shape and shape[1:] for name, shape in got.items()} != wanted:
        raise _refusal(task, f"inputs {got}", f"{wanted} behind the number of patterns")
    outputs = {value.name: _shape(value) for value in graph.output}
    answers = outputs if len(outputs) == 1 else {name: outputs.get(name) for name in ("probability", "azimuth")}
    classes = len(description.classes.values)
    first = next(iter(answers.values()), None)
    if not 1 <= len(outputs) <= 2 or None in answers.values() or first is None or first[1:] != [classes]:
        raise _refusal(task, f"outputs {outputs}", f"probabilities of {classes} classes")


def _check_values(task: str, network: Any) -> None:
    """Follow the shapes through the graph: a few bytes can multiply without end."""
    import onnx

    for value in [*network.graph.input, *network.graph.output]:
        value.type.tensor_type.shape.dim[0].dim_value = BATCH
    del network.graph.value_info[:]  # what the file says of its own shapes
    try:
        inferred = onnx.shape_inference.infer_shapes(network, check_type=True, strict_mode=True, data_prop=True).graph
    except Exception as error:  # of onnx: InferenceError, ValidationError, and what protobuf raises
        raise FormatError(f"{task}.onnx: damaged, shapes do not follow ({type(error).__name__})") from None
    known = {value.name: _shape(value) for value in [*inferred.value_info, *inferred.output]}
    for name in (name for node in inferred.node for name in node.output if name):
        shape = known.get(name)
        lengths = [-1] if shape is None else [-1 if length is None else length for length in shape]
        if -1 in lengths:
            raise _refusal(task, f"a value {name[:60]!r} of unknown shape", "shapes that follow from the inputs")
        if prod(lengths) > LARGEST_VALUE:
            raise _refusal(task, f"a value {name[:60]!r} of shape {shape}", f"at most {LARGEST_VALUE} elements")


def _shape(value: Any) -> list[int | None] | None:
    """Lengths of a value, None for one that is not fixed; None without a shape."""
    kind = value.type.tensor_type
    if not kind.HasField("shape") or not kind.shape.dim:
        return [] if kind.HasField("shape") else None
    return [length.dim_value if length.HasField("dim_value") else None for length in kind.shape.dim]


def _refusal(task: str, got: str, accepted: str) -> FormatError:
    return FormatError(f"{task}.onnx: got {got}, accepted: {accepted}")
