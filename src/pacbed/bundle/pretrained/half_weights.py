"""Networks in half the bytes: weights rounded to half precision, computed with in single precision as before."""

from __future__ import annotations

import numpy as np

LEAST_WEIGHTS = 256  # smaller arrays, shapes and constants among them, stay as they are


def halve_weights(model: bytes) -> bytes:
    """Store the weights of an ONNX network as 16-bit floats.

    A weight changes by at most 2^-11 of itself, a probability of the networks that ship by some 2e-4; the patterns that
    a bundle carries along are answered again by the rounded networks in a test.

    Parameters
    ----------
    model : bytes
        ONNX file, of single precision.

    Returns
    -------
    bytes
        ONNX file; its weights are cast back where they enter, which onnxruntime does once, when it loads.
    """
    import onnx

    network = onnx.load_from_string(model)
    graph, casts = network.graph, []
    for weights in [item for item in graph.initializer if item.data_type == onnx.TensorProto.FLOAT]:
        values = onnx.numpy_helper.to_array(weights)
        if values.size < LEAST_WEIGHTS:
            continue
        name, half = weights.name, f"{weights.name}_half"
        graph.initializer.remove(weights)
        graph.initializer.append(onnx.numpy_helper.from_array(values.astype(np.float16), half))
        casts.append(onnx.helper.make_node("Cast", [half], [name], to=onnx.TensorProto.FLOAT))
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)
    return bytes(network.SerializeToString())
