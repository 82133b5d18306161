"""A small, real bundle: the tiny table, a stack, three networks of the right form that know nothing."""

from __future__ import annotations

import json

import numpy as np
import pytest

from pacbed.patterns import Geometry, polar_to_vector

CLASSES = {
    "scale": [0.8, 0.9, 1.0, 1.1, 1.2],
    "thickness": [float(t) for t in range(1, 11)],
    "mistilt": [0.0, 1.0, 2.0, 3.0],
}
MAX_ANGLE_MRAD = 22.5
CARD = {
    "recipe": "compact",
    "begun_with": "random weights",
    "training_patterns": 24000,
    "validation_patterns": 2000,
    "epochs": 10,
    "best_epoch": 9,
    "loss": 1.5,
    "validation_loss": 1.6,
    "median_error": 0.25,
    "seed": 1,
    "seconds": 100.0,
    "cpu_seconds": 150.0,
    "waiting": 0.2,
    "calibrated": True,
    "versions": {"keras": "3.8"},
}
STACK_GRID = {"thickness_nm": CLASSES["thickness"], "convergence_mrad": [13.0, 15.0], "mistilt_mrad": [0.0, 3.0]}


def write_network(folder, task, *, pixels=32):
    """Store an ONNX network whose classes vaguely follow a fixed random projection of the pattern, and describe it."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    count = len(CLASSES[task])
    rng = np.random.default_rng(len(task))
    weights = {
        "w": rng.normal(0, 0.01, (pixels * pixels + 1, count)).astype(np.float32),
        "flat": np.array([0, pixels * pixels], dtype=np.int64),
    }
    nodes = [
        helper.make_node("Reshape", ["pattern", "flat"], ["row"]),
        helper.make_node("Concat", ["row", "convergence"], ["all"], axis=1),
        helper.make_node("MatMul", ["all", "w"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["probability"], axis=1),
    ]
    graph = helper.make_graph(
        nodes,
        task,
        [
            helper.make_tensor_value_info("pattern", TensorProto.FLOAT, ["n", pixels, pixels, 1]),
            helper.make_tensor_value_info("convergence", TensorProto.FLOAT, ["n", 1]),
        ],
        [helper.make_tensor_value_info("probability", TensorProto.FLOAT, ["n", count])],
        [numpy_helper.from_array(value, name) for name, value in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.save(model, str(folder / f"{task}.onnx"))
    description = {
        "task": task,
        "class_values": CLASSES[task],
        "pixels": pixels,
        "max_angle_mrad": MAX_ANGLE_MRAD,
        "convergence_center_mrad": 14.0,
        "convergence_half_width_mrad": 1.0,
    }
    if task == "thickness":  # the others are as those of earlier bundles
        description["card"] = CARD
    (folder / f"{task}.json").write_text(json.dumps(description))


@pytest.fixture(scope="session")
def parts(tiny_table_dir, tmp_path_factory):
    """Everything that `BundleSources` names."""
    from pacbed.simulation.stack.assemble import assemble_stack
    from pacbed.simulation.stack.parameter_grid import ParameterGrid

    folder = tmp_path_factory.mktemp("parts")
    assemble_stack(
        tiny_table_dir,
        ParameterGrid(**STACK_GRID, azimuth_deg="auto", azimuth_step_deg=45, pixels=32, max_angle_mrad=MAX_ANGLE_MRAD),
        validation_fraction=0.3,
        seed=1,
        out_dir=folder / "stack",
    )
    (folder / "models").mkdir()
    for task in CLASSES:
        write_network(folder / "models", task)
    for name in ("models/parity", "accepted", "errors"):
        (folder / f"{name}.json").write_text('{"figure": 0.001}')
    bonding = {"size": 0.03, "unit": "of", "source": "", "counted": True, "signs": [-1], "bias_nm": [0.02, 0.15]}
    budget = {"schema_version": 1, "thickness_nm": [5.0, 10.0], "std_nm": [0.1, 0.2], "source": "by hand"}
    (folder / "model_error.json").write_text(json.dumps({**budget, "effects": {"bonding": bonding}}))
    _save_examples(folder, tiny_table_dir)
    return {
        "structure_dir": tiny_table_dir.parent / "structure",
        "table_dir": tiny_table_dir,
        "stack_dir": folder / "stack",
        "models_dir": folder / "models",
        "accepted_json": folder / "accepted.json",
        "evaluation_json": folder / "errors.json",
        "examples": folder / "patterns.npz",
        "model_error_json": folder / "model_error.json",
    }


def _save_examples(folder, table_dir):
    """Two patterns and their answers, as the evaluation leaves them."""
    from pacbed.analysis.fit.parameters import PatternParameters, render_pattern
    from pacbed.analysis.repetition import answer_examples
    from pacbed.evaluation.truths import Stack
    from pacbed.evaluation.unpacked_bundle import UnpackedBundle

    bundle = UnpackedBundle(table_dir, Stack.load(folder / "stack"), folder / "models")
    at = [PatternParameters(nm, (0.5, 0.2), (30, 32), 0.8, 10.0, 14.0, 0.5) for nm in (5.2, 7.6)]
    images = [render_pattern(bundle.renderer, one, one.geometry((64, 64))) for one in at]
    answer_examples(bundle, images, at).save(folder / "patterns.npz")


@pytest.fixture(scope="session")
def trained_grid():
    """The grid of `parts`."""
    from pacbed.bundle.pack import TrainedGrid

    return TrainedGrid(**STACK_GRID, max_angle_mrad=MAX_ANGLE_MRAD)


@pytest.fixture(scope="session")
def tiny_bundle_file(parts, trained_grid, tmp_path_factory):
    """A packed bundle."""
    from pacbed.bundle.pack import BundleSources, pack_bundle

    file = tmp_path_factory.mktemp("bundle") / "tiny.pacbed"
    pack_bundle(BundleSources(**parts), trained_grid, system="tiny", out_bundle=file)
    return file


@pytest.fixture(scope="session")
def tiny_bundle(tiny_bundle_file):
    """The bundle of `tiny_bundle_file`, open."""
    from pacbed.bundle.reader import load_bundle

    return load_bundle(tiny_bundle_file)


@pytest.fixture(scope="session")
def bare_bundle(tiny_bundle, tmp_path_factory):
    """The tiny bundle with its networks taken out, open."""
    import shutil
    import zipfile

    from pacbed.bundle.archive import META, write_bundle
    from pacbed.bundle.reader import load_bundle

    folder = tmp_path_factory.mktemp("bare")
    zipfile.ZipFile(tiny_bundle.path).extractall(folder / "content")
    for name in (META, *(f"{task}.{suffix}" for task in CLASSES for suffix in ("onnx", "json"))):
        (folder / "content" / name).unlink()
    write_bundle(folder / "content", tiny_bundle.meta.model_copy(update={"class_values": {}}), folder / "bare.pacbed")
    shutil.rmtree(folder / "content")
    return load_bundle(folder / "bare.pacbed")


@pytest.fixture(scope="session")
def camera(tiny_bundle):
    """Function that records a pattern of the tiny bundle's crystal: offset, gain, background, noise."""

    def record(
        *,
        thickness_nm=8.0,
        convergence_mrad=14.0,
        mistilt_mrad=2.0,
        azimuth_deg=70.0,
        geometry=None,
        electrons=2e7,
        seed=1,
    ):
        geometry = geometry or Geometry((160, 150), 0.4, (70.3, 84.6), 25.0)
        image = tiny_bundle.renderer.render(
            thickness_nm=thickness_nm, convergence_mrad=convergence_mrad, geometry=geometry, blur_mrad=0.4,
            mistilt_mrad=polar_to_vector(mistilt_mrad, azimuth_deg),
        )  # fmt: skip
        angle = np.hypot(*geometry.angles_mrad())
        image = image + 1e-4 * image.max() + 0.1 * image.max() * np.exp(-0.5 * (angle / 16) ** 2)
        rng = np.random.default_rng(seed)
        return (rng.poisson(image * electrons) * 3.0 + 150 + rng.normal(0, 2, image.shape)).astype(np.float32)

    return record
