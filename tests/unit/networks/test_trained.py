"""Asking trained networks: turns are averaged, angles held in the trained range, damaged files refused."""

from __future__ import annotations

import hashlib
import json

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from pacbed.errors import FormatError, ParameterError
from pacbed.networks.description import NetworkDescription
from pacbed.networks.frame import Placement, PolarFrame
from pacbed.networks.inputs import normalise_pattern
from pacbed.networks.trained import (
    TrainedNetwork,
    averaged_maps,
    averaged_placement,
    load_networks,
    load_networks_from,
    read_exported,
)

PIXELS = 10
CLASSES = {"scale": [0.9, 1.0, 1.1], "thickness": [5.0, 10.0, 15.0], "mistilt": [0.0, 1.0, 2.0]}


def description_of(task):
    return {
        "class_values": CLASSES[task],
        "pixels": PIXELS,
        "max_angle_mrad": 20.0,
        "convergence_center_mrad": 14.0,
        "convergence_half_width_mrad": 2.0,
    }


@pytest.fixture(scope="module")
def weights():
    """Of one linear layer: every pixel and, last, the convergence angle to three classes."""
    return np.random.default_rng(6).normal(0, 0.1, (PIXELS**2 + 1, 3)).astype(np.float32)


@pytest.fixture(scope="module")
def onnx_bytes(weights):
    """That layer and a softmax as an ONNX model."""
    nodes = [
        helper.make_node("Reshape", ["pattern", "flat"], ["pixels"]),
        helper.make_node("Concat", ["pixels", "convergence"], ["all"], axis=1),
        helper.make_node("MatMul", ["all", "weights"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["probability"], axis=1),
    ]
    inputs = {"pattern": ["n", PIXELS, PIXELS, 1], "convergence": ["n", 1]}
    constants = {"weights": weights, "flat": np.array([0, PIXELS**2], dtype=np.int64)}
    graph = helper.make_graph(
        nodes,
        "linear",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in inputs.items()],
        [helper.make_tensor_value_info("probability", TensorProto.FLOAT, ["n", 3])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    return model.SerializeToString()


@pytest.fixture
def folder(onnx_bytes, tmp_path):
    """The same model three times, with three descriptions."""
    for task in CLASSES:
        (tmp_path / f"{task}.onnx").write_bytes(onnx_bytes)
        (tmp_path / f"{task}.json").write_text(json.dumps(description_of(task)))
    return tmp_path


@pytest.fixture
def network(onnx_bytes):
    description = NetworkDescription.from_json("thickness", description_of("thickness"))
    return TrainedNetwork(description, lambda: onnx_bytes)


@pytest.fixture(scope="module")
def image():
    return np.random.default_rng(3).random((PIXELS, PIXELS))


def by_hand(weights, image, angle):
    """Softmax of the linear layer, averaged over four turns; `angle` is normalised."""
    probabilities = []
    for turns in range(4):
        pixels = np.rot90(normalise_pattern(image), turns).ravel()
        heights = np.exp(np.append(pixels, angle) @ weights.astype(float))
        probabilities.append(heights / heights.sum())
    return np.mean(probabilities, axis=0)


def test_probabilities_are_the_mean_over_quarter_turns(network, weights, image):
    probability = network.answer(image, 15.0).probability
    np.testing.assert_allclose(probability, by_hand(weights, image, 0.5), rtol=1e-5)
    assert probability.sum() == pytest.approx(1.0, abs=1e-12)


def test_a_single_output_has_any_name(onnx_bytes, network, image):
    """Keras named that of the first bundles itself."""
    model = onnx.load_from_string(onnx_bytes)
    model.graph.node[-1].output[0] = model.graph.output[0].name = "output_0"
    old = TrainedNetwork(network.description, model.SerializeToString)
    assert np.array_equal(old.answer(image, 14.0).probability, network.answer(image, 14.0).probability)


def test_angles_beyond_the_trained_range_count_as_its_edge(network, weights, image):
    for angle_mrad, edge in ((11.0, -1.0), (18.0, 1.0)):
        np.testing.assert_allclose(
            network.answer(image, angle_mrad).probability, by_hand(weights, image, edge), rtol=1e-5
        )


def test_gain_and_offset_of_the_camera_do_not_matter(network, image):
    counts = np.round(40_000 * image + 900).astype(np.uint16)
    np.testing.assert_allclose(
        network.answer(counts, 14.0).probability, network.answer(image, 14.0).probability, atol=1e-3
    )


def test_a_pattern_that_is_none_is_refused(network):
    with pytest.raises(ParameterError, match="the same value everywhere"):
        network.answer(np.ones((PIXELS, PIXELS)), 14.0)


def test_a_folder_holds_three_networks(folder, weights, image):
    networks = load_networks_from(folder)
    assert list(networks) == ["scale", "thickness", "mistilt"]  # in the order they are asked
    for task, network in networks.items():
        assert network.class_values.tolist() == CLASSES[task]
        assert (network.pixels, network.max_angle_mrad) == (PIXELS, 20.0)
        np.testing.assert_allclose(network.answer(image, 14.0).probability, by_hand(weights, image, 0.0), rtol=1e-5)


def test_each_network_reads_its_own_model(folder, image):
    (folder / "scale.onnx").write_bytes(b"no network")
    networks = load_networks_from(folder)
    assert networks["thickness"].answer(image, 14.0).probability.shape == (3,)
    with pytest.raises(FormatError, match=r"scale\.onnx: damaged"):
        networks["scale"].answer(image, 14.0)


def test_a_network_that_is_not_what_was_exported_is_refused(folder, image):
    """One bit of a weight: onnxruntime reads the file and answers something else."""
    content = (folder / "scale.onnx").read_bytes()
    (folder / "parity.json").write_text(json.dumps({"scale": {"sha256": hashlib.sha256(content).hexdigest()}}))
    assert load_networks_from(folder)["scale"].answer(image, 14.0).probability.sum() == pytest.approx(1)
    flipped = bytearray(content)
    flipped[len(content) // 2] ^= 0x01
    (folder / "scale.onnx").write_bytes(flipped)
    with pytest.raises(FormatError, match=r"network .*scale\.onnx: damaged; delete it and make it again"):
        read_exported(folder, "scale.onnx")
    with pytest.raises(FormatError, match=r"network .*scale\.onnx: damaged; delete it and make it again"):
        load_networks_from(folder)["scale"].answer(image, 14.0)


def test_damaged_descriptions_are_refused_at_once(folder):
    (folder / "mistilt.json").write_text('{"class_values": [1')
    with pytest.raises(FormatError, match=r"mistilt\.json: damaged"):
        load_networks_from(folder)
    (folder / "mistilt.json").write_text('{"class_values": [1]}')
    with pytest.raises(FormatError, match=r"mistilt\.json: got no pixels"):
        load_networks_from(folder)


def test_models_are_read_only_when_asked(folder):
    """Opening a bundle for its table must not read networks of tens of megabytes."""
    read = []

    def read_member(name):
        read.append(name)
        return (folder / name).read_bytes()

    networks = load_networks(read_member)
    assert {name.rsplit(".")[-1] for name in read} == {"json"}
    networks["scale"].answer(np.eye(PIXELS), 14.0)
    assert [name for name in read if name.endswith("onnx")] == ["scale.onnx"]


FRAME = {"pixels": PIXELS, "half_width": 1.8, "radii": 6, "angles": 16, "reach": 1.5}
BINS = 32


@pytest.fixture(scope="module")
def polar_weights():
    """Of one linear layer: every cell of a map and, last, the convergence angle to three classes."""
    return np.random.default_rng(8).normal(0, 0.2, (6 * 16 + 1, 3)).astype(np.float32)


@pytest.fixture
def polar(polar_weights):
    """A polar mistilt network of that layer; its direction is wherever each azimuth is bright at the outer radius."""
    nodes = [
        helper.make_node("Reshape", ["pattern", "flat"], ["cells"]),
        helper.make_node("Concat", ["cells", "convergence"], ["all"], axis=1),
        helper.make_node("MatMul", ["all", "weights"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["probability"], axis=1),
        helper.make_node("MatMul", ["cells", "outer"], ["brightness"]),
        helper.make_node("Softmax", ["brightness"], ["azimuth"], axis=1),
    ]
    outer = np.zeros((6, 16, BINS), dtype=np.float32)
    outer[3, np.arange(16), 2 * np.arange(16)] = 5.0  # radius 0.875; every second bin lies on a column
    constants = {"weights": polar_weights, "flat": np.array([0, 96], dtype=np.int64), "outer": outer.reshape(96, BINS)}
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes,
        "polar",
        [value("pattern", TensorProto.FLOAT, ["n", 6, 16, 1]), value("convergence", TensorProto.FLOAT, ["n", 1])],
        [value("azimuth", TensorProto.FLOAT, ["n", BINS]), value("probability", TensorProto.FLOAT, ["n", 3])],
        [numpy_helper.from_array(array, name) for name, array in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9).SerializeToString()

    def network(**content):
        described = NetworkDescription.from_json("mistilt", {**description_of("mistilt"), "frame": FRAME, **content})
        return TrainedNetwork(described, lambda: model)

    return network


@pytest.mark.parametrize("mirror", [False, True])
def test_maps_are_averaged_over_turns_and_mirrors(polar, polar_weights, image, mirror):
    """Softmax of the linear layer, map by map: turned by one to eight columns, and mirrored where that is allowed."""
    frame = PolarFrame.from_json(FRAME)
    expected = []
    for mirrored in (False, True)[: 1 + mirror]:
        for turn in range(8):
            turned = Placement.centred(np.array([turn * np.pi / 8]), np.array([mirrored]))
            cells = frame.maps(normalise_pattern(image)[None], turned).ravel()
            heights = np.exp(np.append(cells, 0.5) @ polar_weights.astype(float))
            expected.append(heights / heights.sum())
    found = polar(mirror=mirror).answer(image, 15.0).probability
    np.testing.assert_allclose(found, np.mean(expected, axis=0), rtol=1e-4)


@pytest.mark.parametrize("mirror", [False, True])
def test_moved_columns_are_what_a_turned_frame_reads(mirror):
    frame = PolarFrame()
    placement = averaged_placement(frame, mirror=mirror)
    square = np.random.default_rng(3).random((frame.pixels, frame.pixels)).astype(np.float32)
    read = frame.maps(np.repeat(square[None], len(placement.turn), axis=0), placement)
    np.testing.assert_allclose(averaged_maps(frame, square, placement), read, atol=1e-4)


def test_a_temperature_is_applied_after_the_average(polar, image):
    plain = polar().answer(image, 15.0).probability
    cold = polar(calibration={"temperature": 0.5, "peak_std": [], "std": []}).answer(image, 15.0).probability
    np.testing.assert_allclose(cold, plain**2 / np.sum(plain**2), rtol=1e-6)


@pytest.mark.parametrize("mirror", [False, True])
def test_directions_are_turned_back_into_the_image(polar, mirror):
    y, x = np.mgrid[:PIXELS, :PIXELS] - (PIXELS - 1) / 2
    for azimuth in (0.0, 1.2, -2.0):
        at = 0.875 / (2 * 1.8 / PIXELS) * np.array([np.cos(azimuth), np.sin(azimuth)])
        spot = np.exp(-((x - at[0]) ** 2 + (y - at[1]) ** 2) / 3)
        direction = polar(mirror=mirror).answer(spot, 14.0).direction
        assert abs(np.angle(direction * np.exp(-1j * azimuth))) < 0.15
        assert 0.5 < abs(direction) <= 1


def test_a_network_without_a_frame_tells_no_direction(network, image):
    assert network.answer(image, 14.0).direction is None
