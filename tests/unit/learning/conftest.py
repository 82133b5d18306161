"""A real stack and renderer of the tiny table."""

from __future__ import annotations

import pytest

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
def stack_dir(tiny_table_dir, tmp_path_factory):
    folder = tmp_path_factory.mktemp("learning") / "stack"
    assemble_stack(
        tiny_table_dir,
        ParameterGrid(**GRID, azimuth_deg="auto", azimuth_step_deg=45, pixels=40, max_angle_mrad=21.0),
        validation_fraction=0.3,
        seed=2,
        out_dir=folder,
    )
    return folder


@pytest.fixture
def settings(tmp_path):
    """Arguments of a training of seconds; everything but the folders and the task."""
    return {
        **GRID,
        "max_angle_mrad": 21.0,
        "recipe": "compact",
        "pixels": 24,
        "samples": 192,
        "validation_samples": 32,
        "epochs": 3,
        "batch_size": 32,
        "learning_rate": 2e-3,
        "scale_range": [0.7, 1.4],
        "scale_step": 0.05,
        "noise_max": 0.05,
        "seed": 3,
        "out_keras": tmp_path / "models" / "thickness.keras",
        "out_history_csv": tmp_path / "models" / "thickness_history.csv",
        "out_curves_png": tmp_path / "models" / "thickness_curves.png",
        "state_dir": tmp_path / "models" / ".thickness_state",
    }
