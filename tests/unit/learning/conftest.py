"""A real stack and renderer of the tiny table, and the settings of a training of seconds."""

from __future__ import annotations

import inspect
from contextlib import contextmanager
from dataclasses import replace

import pytest

from pacbed.learning.settings import TrainingSettings
from pacbed.simulation.rendering.renderer import Renderer
from pacbed.simulation.stack.assemble import assemble_stack
from pacbed.simulation.stack.parameter_grid import ParameterGrid

GRID = {
    "thickness_nm": [2.0, 4.0, 6.0, 8.0],
    "convergence_mrad": [13.0, 14.0],
    "mistilt_mrad": [0.0, 1.0, 2.0],
}


@pytest.fixture(scope="session")
def renderer(tiny_table):
    return Renderer(tiny_table)


@pytest.fixture(scope="session")
def make_stack(tiny_table_dir, tmp_path_factory):
    """Renders a stack of the grid; axes given by name replace the grid's."""

    def make(**axes):
        folder = tmp_path_factory.mktemp("learning") / "stack"
        grid = ParameterGrid(
            **{**GRID, **axes}, azimuth_deg="auto", azimuth_step_deg=45, pixels=40, max_angle_mrad=21.0
        )
        assemble_stack(tiny_table_dir, grid, validation_fraction=0.3, seed=2, out_dir=folder)
        return folder

    return make


@pytest.fixture(scope="session")
def stack_dir(make_stack):
    return make_stack()


@pytest.fixture(scope="session")
def make_settings():
    """Makes the settings of a training of seconds; values given by name replace its own."""
    settings = TrainingSettings(
        **GRID,
        max_angle_mrad=21.0,
        recipe="compact",
        pixels=24,
        samples=192,
        validation_samples=32,
        epochs={"scale": 3, "thickness": 3, "mistilt": 3},
        batch_size=32,
        learning_rate=2e-3,
        scale_range=[0.9, 1.6],
        scale_step=0.05,
        noise_max=0.05,
        seed=3,
    )
    return lambda **changes: replace(settings, **changes)


@pytest.fixture
def outputs(tmp_path):
    """Where a training writes, as keyword arguments."""
    return {"out_dir": tmp_path / "models", "state_dir": tmp_path / "models" / ".state"}


def tiny_xception(pattern, convergence, class_counts):
    """Of the shape of the paper's network: separable convolutions with a shortcut, the angle, dense layers, dropout."""
    from keras import Input, Model, layers

    colours = Input((None, None, 3))
    x = layers.BatchNormalization()(layers.Conv2D(4, 3, strides=3, use_bias=False)(colours))
    x = layers.ReLU()(x)
    sides = layers.BatchNormalization()(layers.SeparableConv2D(8, 3, padding="same", use_bias=False)(x))
    short = layers.BatchNormalization()(layers.Conv2D(8, 1, use_bias=False)(x))
    body = Model(colours, layers.GlobalAveragePooling2D()(layers.Add()([sides, short])), name="tiny_xception")
    x = layers.Concatenate()([body(layers.Concatenate()([pattern] * 3)), convergence])
    for _ in range(2):
        x = layers.Dropout(0.2)(layers.Dense(16, activation="relu")(x))
    return {task: layers.Dense(count, activation="softmax", name=task)(x) for task, count in class_counts.items()}


@pytest.fixture(scope="session")
def tiny_xception_source():
    """Source of `tiny_xception`, for another process."""
    return inspect.getsource(tiny_xception)


@pytest.fixture
def small_paper(monkeypatch, make_settings):
    """Gives the recipe paper a small network, for the thickness alone; returns settings for it."""
    from pacbed.learning import recipes

    small = recipes.RECIPES["paper"]._replace(architecture=tiny_xception, trainings=(("thickness",),))
    monkeypatch.setattr(recipes, "RECIPES", {**recipes.RECIPES, "paper": small})
    return make_settings(
        recipe="paper",
        pixels=24,
        samples=32,
        validation_samples=16,
        batch_size=8,
        epochs={"scale": 1, "thickness": 2, "mistilt": 1},
        scale_range=[0.7, 1.4],
    )


@pytest.fixture
def untraced():
    """Run TensorFlow step by step: tracing a network takes far longer than the few steps of a test."""
    import keras

    if keras.backend.backend() != "tensorflow":
        yield
        return
    import tensorflow

    tensorflow.config.run_functions_eagerly(True)
    yield
    tensorflow.config.run_functions_eagerly(False)


@pytest.fixture
def killed_in(monkeypatch):
    """A context in which a training is killed at the end of an epoch, counted from 0, before it is recorded."""
    from pacbed.learning.training_loop import EpochRecord

    end_of_epoch = EpochRecord.on_epoch_end

    @contextmanager
    def context(last):
        def killed(self, epoch, logs=None):
            if epoch == last:
                raise KeyboardInterrupt
            end_of_epoch(self, epoch, logs)

        with monkeypatch.context() as patch:
            patch.setattr(EpochRecord, "on_epoch_end", killed)
            with pytest.raises(KeyboardInterrupt):
                yield

    return context
