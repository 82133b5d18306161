"""ONNX files answer as Keras does, and a comparison that proves nothing fails."""

from __future__ import annotations

import hashlib
import json

import keras
import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper

from pacbed.errors import FormatError
from pacbed.learning.export_networks import check_parity, export_networks
from pacbed.learning.rendered.comparison import rendered_inputs
from pacbed.networks.architectures import build_network, compact_outputs, single_network
from pacbed.networks.frame import PolarFrame

# Keras hands h5py its TensorFlow variables, whose conversion numpy 2 wants spelled otherwise; nothing of ours.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")

DESCRIPTION = {
    "class_values": [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0],
    "pixels": 24,
    "max_angle_mrad": 21.0,
    "convergence_center_mrad": 13.5,
    "convergence_half_width_mrad": 0.7,
    "frame": PolarFrame(pixels=24).as_json(),
    "ranges": {
        "thickness_nm": [1.0, 9.0],
        "convergence_mrad": [13.0, 14.0],
        "mistilt_mrad": [0.0, 2.0],
        "scale": [0.9, 1.1],
    },
}


def write_network(folder, *, answers_vary):
    """A network of known weights and its description; either lively or blind to its inputs."""
    keras.utils.set_random_seed(5)
    together = build_network(compact_outputs, input_shape=(32, 64), class_counts={"thickness": 7, "mistilt": 3})
    last = together.get_layer("thickness")
    kernel, bias = last.get_weights()
    last.set_weights([kernel * (5.0 if answers_vary else 0.0), bias])
    network = single_network(together, "thickness")
    network.save(folder / "thickness.keras")
    (folder / "thickness.json").write_text(json.dumps(DESCRIPTION))
    return network


@pytest.fixture(scope="module")
def inputs(renderer):
    return rendered_inputs(renderer, "thickness", DESCRIPTION)


def test_inputs_are_always_the_same(renderer, inputs):
    again = rendered_inputs(renderer, "thickness", DESCRIPTION)
    assert all(np.array_equal(again[name], array) for name, array in inputs.items())


def test_an_incomplete_description_is_refused(renderer):
    with pytest.raises(FormatError, match=r"thickness\.json: got no class_values"):
        rendered_inputs(
            renderer,
            "thickness",
            {name: DESCRIPTION[name] for name in DESCRIPTION if name[0] != "c"}
            | {"convergence_center_mrad": 13.5, "convergence_half_width_mrad": 0.7},
        )


def test_inputs_are_different_patterns(inputs):
    assert inputs["pattern"].shape == (32, 32, 64, 1)
    assert inputs["pattern"].dtype == inputs["convergence"].dtype == np.float32
    assert inputs["pattern"].std(axis=0).max() > 0.1
    assert np.ptp(inputs["convergence"]) > 1


def test_export_and_parity(tiny_table_dir, inputs, tmp_path):
    network = write_network(tmp_path, answers_vary=True)
    export_networks([tmp_path / "thickness.keras"], table_dir=tiny_table_dir, out_dir=tmp_path / "out")
    report = json.loads((tmp_path / "out" / "parity.json").read_text())["thickness"]
    assert report["largest_difference"] < 2e-5
    assert report["variation"] > 0.01
    assert report["sha256"] == hashlib.sha256((tmp_path / "out" / "thickness.onnx").read_bytes()).hexdigest()
    assert report["bytes"] == (tmp_path / "out" / "thickness.onnx").stat().st_size < 2e6
    session = onnxruntime.InferenceSession(tmp_path / "out" / "thickness.onnx", providers=["CPUExecutionProvider"])
    some = {name: array[:5] for name, array in inputs.items()}
    expected = keras.ops.convert_to_numpy(network(some, training=False)["probability"])
    np.testing.assert_allclose(session.run(None, some)[0], expected, atol=2e-5)

    # The same file, held against answers that are slightly off, or do not vary.
    exported = tmp_path / "out" / "thickness.onnx"
    wrong = session.run(None, inputs)[0]
    wrong[3, 2] += 1e-3
    with pytest.raises(FormatError, match=r"thickness\.onnx: differs from Keras by 0\.001"):
        check_parity("thickness", exported, inputs, {"probability": wrong})


@pytest.mark.parametrize("keep", [1.0, 0.5])
def test_a_damaged_keras_file_is_refused(tiny_table_dir, tmp_path, keep):
    """A bit flipped among its weights, which Keras reads without a word; and half a file."""
    write_network(tmp_path, answers_vary=True)
    file = tmp_path / "thickness.keras"
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 0x10
    file.write_bytes(content[: int(keep * len(content))])
    with pytest.raises(FormatError, match=r"network .*thickness\.keras: .*damaged.*train it again"):
        export_networks([file], table_dir=tiny_table_dir, out_dir=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_answers_without_a_number_are_refused(tiny_table_dir, inputs, tmp_path):
    """A network of broken weights answers nan in Keras and in ONNX alike, which is no agreement."""
    network = write_network(tmp_path, answers_vary=True)
    kernel, bias = network.get_layer("thickness").get_weights()
    network.get_layer("thickness").set_weights([np.full_like(kernel, np.nan), bias])
    network.save(tmp_path / "thickness.keras")
    with pytest.raises(FormatError, match="differs from Keras by nan"):
        export_networks([tmp_path / "thickness.keras"], table_dir=tiny_table_dir, out_dir=tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_an_onnx_file_of_other_inputs_is_refused(inputs, tmp_path):
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        [helper.make_node("Identity", ["image"], ["answer"])],
        "copy",
        [value("image", TensorProto.FLOAT, ["n"])],
        [value("answer", TensorProto.FLOAT, ["n"])],
    )
    onnx.save(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), tmp_path / "scale.onnx"
    )
    with pytest.raises(FormatError, match=r"scale\.onnx: got inputs image, accepted: convergence, pattern"):
        check_parity("scale", tmp_path / "scale.onnx", inputs, {"probability": np.zeros((32, 7))})


def test_a_network_that_ignores_its_inputs_is_refused(tiny_table_dir, tmp_path):
    write_network(tmp_path, answers_vary=False)
    with pytest.raises(FormatError, match="train it longer"):
        export_networks([tmp_path / "thickness.keras"], table_dir=tiny_table_dir, out_dir=tmp_path / "out")
    assert not (tmp_path / "out" / "thickness.onnx").exists()
    assert not (tmp_path / "out" / "parity.json").exists()


def test_the_direction_of_the_mistilt_is_compared_too(tiny_table_dir, renderer, tmp_path):
    keras.utils.set_random_seed(5)
    together = build_network(compact_outputs, input_shape=(32, 64), class_counts={"mistilt": 3})
    single_network(together, "mistilt").save(tmp_path / "mistilt.keras")
    description = {**DESCRIPTION, "class_values": [0.0, 1.0, 2.0]}
    (tmp_path / "mistilt.json").write_text(json.dumps(description))
    export_networks([tmp_path / "mistilt.keras"], table_dir=tiny_table_dir, out_dir=tmp_path)
    inputs = rendered_inputs(renderer, "mistilt", description)
    expected = {
        name: keras.ops.convert_to_numpy(found)
        for name, found in single_network(together, "mistilt")(inputs, training=False).items()
    }
    assert set(expected) == {"probability", "azimuth"}
    assert check_parity("mistilt", tmp_path / "mistilt.onnx", inputs, expected)["largest_difference"] < 2e-5
    turned = {**expected, "azimuth": np.roll(expected["azimuth"], 1, axis=1)}
    with pytest.raises(FormatError, match="differs from Keras"):
        check_parity("mistilt", tmp_path / "mistilt.onnx", inputs, turned)
    with pytest.raises(FormatError, match="got outputs azimuth, probability, accepted: probability"):
        check_parity("mistilt", tmp_path / "mistilt.onnx", inputs, {"probability": expected["probability"]})


def test_a_cartesian_network_is_compared_on_images(renderer):
    inputs = rendered_inputs(renderer, "thickness", {**DESCRIPTION, "frame": None})
    assert inputs["pattern"].shape == (32, 24, 24, 1)
    assert inputs["pattern"].std(axis=0).max() > 0.1
