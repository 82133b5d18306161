import json
from dataclasses import replace

import numpy as np
import pytest

from pacbed.evaluation.degraded.answers import Row, ask
from pacbed.evaluation.degraded.recording import record
from pacbed.evaluation.degraded.settings import Blur, Degradation, File, Light, Told, View

CLEAN = Degradation(
    View(pixels=80, radius_px=22.0, rotation_deg=12.0), Blur(), Light(electrons=3e7), File(readout=1e-3)
)


def asked(bundle, area, how, folder):
    pattern = record(area, how, folder / "one", rng=np.random.default_rng(1))
    return ask(bundle, pattern, number=1, kind="some", specimen=0, how=how.as_json())


@pytest.fixture(scope="module")
def row(tiny_bundle, area, tmp_path_factory):
    return asked(tiny_bundle, area, CLEAN, tmp_path_factory.mktemp("row"))


def test_the_truth_stands_beside_the_answer_of_the_fit(row, area):
    assert row.thickness_nm == area.mean.thickness_nm
    assert row.refined.thickness_nm == pytest.approx(8.0, abs=0.3)
    assert row.refined.mistilt_mrad == pytest.approx(row.mistilt_mrad, abs=0.3)
    assert row.refined.misfit < 0.1
    assert row.refined.cpu_s > 0
    assert row.refined.library[0] >= row.refined.library[1] > 0


def test_networks_are_asked_alone_as_well(row, bare_bundle, area, tmp_path):
    """Those of the tiny bundle know nothing, and no fit helps them."""
    assert 0 < row.alone.misfit < 1  # of a rendered pattern near their answer
    assert sum(probability for _, probability in row.alone.candidates) <= 1
    assert row.alone.entropy > 1.0
    assert row.alone.library is None and row.refined.library[0] >= row.refined.library[1]
    assert asked(bare_bundle, area, CLEAN, tmp_path).alone is None


def test_a_floor_counts_only_where_an_answer_is_off(row):
    """The networks are off by nanometres; 3e7 electrons tell the thickness to far less than 1 nm."""
    assert abs(row.alone.thickness_nm - 8.0) > 1.0
    assert row.tolerance_nm == 1.0


def test_few_electrons_excuse_more(tiny_bundle, area, tmp_path):
    how = replace(CLEAN, light=Light(electrons=100.0))
    row = asked(tiny_bundle, area, how, tmp_path)
    assert row.tolerance_nm > 1.0


def test_what_is_said_of_the_angle_stays_inside_the_bundle(tiny_bundle, area, tmp_path):
    how = replace(CLEAN, told=Told(convergence_error_mrad=3.0))
    reasons = asked(tiny_bundle, area, how, tmp_path).refined.reasons
    assert not any("outside the trained range" in reason for reason in reasons)


def test_a_pattern_that_cannot_be_used_is_an_answer(tiny_bundle, area, tmp_path):
    row = asked(tiny_bundle, area, replace(CLEAN, view=View(pixels=20, radius_px=6.0)), tmp_path)
    assert row.refined.verdict == "error"
    assert "at least 32" in row.refined.reasons[0]


def test_rows_come_back_from_json(row):
    assert Row.from_json(json.loads(json.dumps(row.as_json()))) == replace(row, how=json.loads(json.dumps(row.how)))
