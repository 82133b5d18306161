"""A network's description survives its file, and a damaged file is refused with its name."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from pacbed.errors import FormatError
from pacbed.networks.calibration import Calibration
from pacbed.networks.classes import TaskClasses
from pacbed.networks.description import REQUIRED, NetworkDescription
from pacbed.networks.frame import PolarFrame
from pacbed.networks.inputs import ConvergenceNormalisation


@pytest.fixture
def description():
    classes = TaskClasses("mistilt", np.array([0.0, 0.5, 1.0]))
    return NetworkDescription(classes, 64, 33.25, ConvergenceNormalisation(17.5, 2.5))


def test_round_trip_through_a_file(description):
    again = NetworkDescription.from_json("mistilt", json.loads(json.dumps(description.as_json())))
    assert again.classes.task == "mistilt"
    assert again.classes.values.tolist() == [0.0, 0.5, 1.0]
    assert (again.pixels, again.max_angle_mrad) == (64, 33.25)
    assert again.convergence == description.convergence


def test_frame_and_calibration_travel_along(description):
    calibrated = Calibration(0.8, (0.5, 1.0), (0.1, 0.4))
    framed = replace(description, frame=PolarFrame(pixels=48), mirror=True, calibration=calibrated)
    assert framed.as_json()["frame"]["pixels"] == 48
    again = NetworkDescription.from_json("mistilt", json.loads(json.dumps(framed.as_json())))
    assert (again.frame, again.mirror) == (PolarFrame(pixels=48), True)
    assert (again.calibration, again.direction) == (calibrated, Calibration())


def test_a_network_of_before_is_cartesian_and_plain(description):
    """Descriptions had five fields that counted."""
    content = {name: description.as_json()[name] for name in REQUIRED}
    old = NetworkDescription.from_json("mistilt", content)
    assert (old.frame, old.mirror, old.calibration) == (None, False, Calibration())


def test_the_file_says_task_and_unit(description):
    content = description.as_json()
    assert (content["task"], content["class_unit"]) == ("mistilt", "mrad")
    assert content["convergence_center_mrad"] - content["convergence_half_width_mrad"] == 15.0


def test_further_fields_are_left_alone(description):
    content = {**description.as_json(), "settings": {"seed": 3}, "validation": {}}
    assert NetworkDescription.from_json("mistilt", content).pixels == 64


@pytest.mark.parametrize("name", REQUIRED)
def test_every_missing_field_is_named(description, name):
    content = description.as_json()
    del content[name]
    with pytest.raises(FormatError, match=rf"mistilt\.json: got no {name}, accepted: the description of a network"):
        NetworkDescription.from_json("mistilt", content)


def test_all_missing_fields_are_named_at_once():
    with pytest.raises(FormatError, match="got no class_values, pixels, max_angle_mrad"):
        NetworkDescription.from_json("scale", {"convergence_center_mrad": 1.0, "convergence_half_width_mrad": 1.0})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("class_values", [2.0, 1.0]),
        ("class_values", "many"),
        ("class_values", 3.0),
        ("pixels", None),
        ("max_angle_mrad", "wide"),
        ("convergence_center_mrad", [17.5]),
    ],
)
def test_a_damaged_field_is_refused(description, name, value):
    with pytest.raises(FormatError, match=r"mistilt\.json: damaged"):
        NetworkDescription.from_json("mistilt", {**description.as_json(), name: value})
