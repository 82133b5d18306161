"""Networks of other operators, of other shapes, with data elsewhere or values out of bounds are refused."""

from __future__ import annotations

import json
from itertools import pairwise

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from pacbed.bundle.gate.networks import check_network
from pacbed.errors import FormatError
from pacbed.networks.description import NetworkDescription


@pytest.fixture
def described(tiny_bundle):
    """The description of the tiny bundle's thickness network."""
    return NetworkDescription.from_json("thickness", json.loads(tiny_bundle.read("thickness.json")))


@pytest.fixture
def network(tiny_bundle):
    """The network itself, for a test to spoil."""
    return onnx.load_from_string(tiny_bundle.read("thickness.onnx"))


def refused(network, described, said):
    with pytest.raises(FormatError, match=f"thickness.onnx: .*{said}"):
        check_network("thickness", network.SerializeToString(), described)


def put_first(network, nodes, constants=()):
    """Let the pattern pass through some nodes, from `pattern` to `pattern_2`, before the network has it."""
    for node in network.graph.node:
        node.input[:] = ["pattern_2" if name == "pattern" else name for name in node.input]
    kept = list(network.graph.node)
    del network.graph.node[:]
    network.graph.node.extend([*nodes, *kept])
    network.graph.initializer.extend(numpy_helper.from_array(values, name) for name, values in constants)


def test_the_networks_of_a_bundle_pass(network, described):
    check_network("thickness", network.SerializeToString(), described)


def test_a_known_operator_more_passes(network, described):
    put_first(network, [helper.make_node("Relu", ["pattern"], ["pattern_2"])])
    check_network("thickness", network.SerializeToString(), described)


@pytest.mark.parametrize(
    ("operator", "domain"), [("Loop", ""), ("RandomNormal", ""), ("MyOp", "com.foreign"), ("Relu", "com.microsoft")]
)
def test_operators_outside_the_list_are_refused(network, described, operator, domain):
    put_first(network, [helper.make_node(operator, ["pattern"], ["pattern_2"], domain=domain)])
    refused(network, described, f"operator '.*{operator}'")


def test_a_graph_inside_an_operator_is_refused(network, described):
    inside = helper.make_graph([helper.make_node("Relu", ["pattern"], ["x"])], "inside", [], [])
    put_first(network, [helper.make_node("Identity", ["pattern"], ["pattern_2"], body=inside)])
    refused(network, described, "a graph inside Identity")


def test_functions_of_its_own_are_refused(network, described):
    network.functions.add(name="Relu", domain="")
    refused(network, described, "functions")


@pytest.mark.parametrize("keep", [True, False])
def test_external_data_are_refused(network, described, keep):
    tensor = network.graph.initializer[0]
    tensor.external_data.add(key="location", value="../../etc/passwd")
    if keep:
        tensor.data_location = TensorProto.EXTERNAL
    refused(network, described, "external data")


def test_external_data_of_an_attribute_are_refused(network, described):
    far = helper.make_tensor("far", TensorProto.FLOAT, [1], [0.0])
    far.data_location = TensorProto.EXTERNAL
    put_first(network, [helper.make_node("Constant", [], ["pattern_2"], value=far)])
    refused(network, described, "external data")


def test_texts_are_refused(network, described):
    network.graph.initializer.append(helper.make_tensor("text", TensorProto.STRING, [1], [b"x"]))
    refused(network, described, "tensor of type")


@pytest.mark.parametrize(("dims", "said"), [([2**40], "elements"), ([-1], "shape"), ([7], "another size")])
def test_a_tensor_of_another_size_than_it_says_is_refused(network, described, dims, said):
    tensor = helper.make_tensor("odd", TensorProto.FLOAT, [2], [0.0, 1.0])
    tensor.dims[:] = dims
    network.graph.initializer.append(tensor)
    refused(network, described, said)


def test_values_that_double_without_end_are_refused(network, described):
    names = ["pattern", *(f"x{n}" for n in range(29)), "pattern_2"]
    doubled = [helper.make_node("Concat", [a, a], [b], axis=1) for a, b in pairwise(names)]
    put_first(network, doubled)
    refused(network, described, "elements")


def test_padding_without_end_is_refused(network, described):
    pads = np.array([0, 10**6, 10**6, 0, 0, 0, 0, 0], dtype=np.int64)
    put_first(network, [helper.make_node("Pad", ["pattern", "pads"], ["pattern_2"])], [("pads", pads)])
    refused(network, described, "elements")


@pytest.mark.parametrize("place", ["pattern", "convergence", "probability"])
def test_other_shapes_than_described_are_refused(network, described, place):
    value = next(one for one in [*network.graph.input, *network.graph.output] if one.name == place)
    value.type.tensor_type.shape.dim[1].dim_value += 1
    refused(network, described, "inputs|outputs")


def test_an_input_more_is_refused(network, described):
    network.graph.input.append(helper.make_tensor_value_info("more", TensorProto.FLOAT, [1]))
    refused(network, described, "inputs")


@pytest.mark.parametrize("content", [b"", b"no network", b"\x08", b"\x0a\xff\xff\xff\xff\x0f"])
def test_what_is_no_network_is_refused(described, content):
    with pytest.raises(FormatError, match=r"thickness.onnx"):
        check_network("thickness", content, described)
