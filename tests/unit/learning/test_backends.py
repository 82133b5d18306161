"""One training loop for every backend of Keras: trained by each that is installed, exported through TensorFlow."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import asdict
from importlib.util import find_spec

import pytest

from pacbed.learning.export_networks import export_networks

# Keras hands h5py its TensorFlow variables, whose conversion numpy 2 wants spelled otherwise; nothing of ours.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")
TRAIN = """
import json, sys
from pacbed.learning import recipes
from pacbed.learning.settings import TrainingSettings
from pacbed.learning.train_network import train_network
small = recipes.RECIPES["paper"]._replace(architecture=tiny_xception, trainings=(("thickness",),))
recipes.RECIPES = {"paper": small}
table, stack, settings, out = sys.argv[1:]
train_network(table, stack, TrainingSettings(**json.loads(settings)), out_dir=out, state_dir=out + "/.state")
"""


@pytest.mark.parametrize("backend", ["tensorflow", "jax", "torch"])
def test_a_network_of_any_backend_is_exported(
    backend, tiny_table_dir, stack_dir, small_paper, tiny_xception_source, tmp_path
):
    """Convolutions, batch norms and dropout, for two epochs."""
    if find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    arguments = [str(tiny_table_dir), str(stack_dir), json.dumps(asdict(small_paper)), str(tmp_path)]
    done = subprocess.run(
        [sys.executable, "-c", tiny_xception_source + TRAIN, *arguments],
        env={**os.environ, "KERAS_BACKEND": backend, "JAX_PLATFORMS": "cpu", "TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    content = json.loads((tmp_path / "thickness.json").read_text())
    assert content["versions"]["backend"] == content["card"]["versions"]["backend"] == backend
    assert content["card"]["epochs"] == 2
    export_networks([tmp_path / "thickness.keras"], table_dir=tiny_table_dir, out_dir=tmp_path)
    found = json.loads((tmp_path / "parity.json").read_text())["thickness"]
    assert found["largest_difference"] < 2e-5 < found["variation"]
