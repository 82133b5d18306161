"""A training that the system kills in the middle of an epoch, and one that nobody disturbs, give the same network."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import asdict, replace

import keras
import numpy as np
import pytest

# Keras hands h5py its TensorFlow variables, whose conversion numpy 2 wants spelled otherwise; nothing of ours.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")
EPOCHS = 12
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


@pytest.fixture
def start(tiny_table_dir, stack_dir, small_paper, tiny_xception_source):
    """Starts a training in a process of its own; convolutions, batch norms and dropout."""
    settings = replace(small_paper, epochs=dict.fromkeys(("scale", "thickness", "mistilt"), EPOCHS))

    def start(out):
        arguments = [str(tiny_table_dir), str(stack_dir), json.dumps(asdict(settings)), str(out)]
        return subprocess.Popen(
            [sys.executable, "-c", tiny_xception_source + TRAIN, *arguments],
            env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )

    return start


def end(training):
    _, err = training.communicate()
    assert training.returncode == 0, err[-2000:]


def kill_after_epochs(training, history, count):
    """SIGKILL as soon as so many epochs are recorded: the next one has begun."""
    try:
        while not history.is_file() or len(json.loads(history.read_text())) < count:
            assert training.poll() is None, training.communicate()[1][-2000:]
            time.sleep(0.005)
    finally:
        training.kill()
        training.communicate()
    assert training.returncode == -9


def test_a_training_that_the_system_kills_gives_the_same_network(start, tmp_path):
    killed, undisturbed = tmp_path / "killed", tmp_path / "undisturbed"
    history = killed / ".state" / "thickness" / "whole" / "history.json"
    kill_after_epochs(start(killed), history, 2)
    assert not list(killed.glob("thickness*"))
    recorded = len(json.loads(history.read_text()))
    end(start(killed))
    end(start(undisturbed))
    rows = [(folder / "thickness_history.csv").read_text().splitlines() for folder in (killed, undisturbed)]
    assert len(rows[0]) == len(rows[1]) > recorded + 1, "it went on, and ended where the other did"
    weights = [
        keras.models.load_model(folder / "thickness.keras", compile=False).get_weights()
        for folder in (killed, undisturbed)
    ]
    for found, expected in zip(*weights, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)
