import json

import numpy as np
import pytest

from pacbed.errors import ParameterError
from pacbed.evaluation.advice import question
from pacbed.evaluation.advice.advise import advise
from pacbed.evaluation.advice.expected import centred, expected_error
from pacbed.evaluation.advice.question import Question


@pytest.fixture(scope="module")
def advised(tiny_bundle):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(question, "THICKNESSES", 3)
        return advise(tiny_bundle, Question(1e5, (5.0, 9.0), 1.5))


def test_every_number_is_the_mean_over_mistilts(advised, tiny_bundle):
    from pacbed.analysis.fit.restraints import Restraints

    grid = advised.grid
    angle, thickness = float(grid.convergence_mrad[1]), float(grid.thickness_nm[2])
    width = tiny_bundle.meta.priors.convergence_relative * angle
    each = [
        expected_error(tiny_bundle.renderer, centred(thickness, angle, at), 1e5, Restraints(angle, width))
        for at in grid.mistilts_mrad
    ]
    for name, errors in (
        ("thickness_nm", advised.noise_nm),
        ("mistilt_mrad", advised.mistilt_mrad),
        ("smallest_thickness_nm", advised.smallest_noise_nm),
        ("smallest_mistilt_mrad", advised.smallest_mistilt_mrad),
    ):
        squares = [getattr(one, name) ** 2 for one in each]
        assert errors[1, 2] == pytest.approx(np.sqrt(np.mean(squares)), rel=1e-9)


def test_the_model_error_is_the_bundle_s_and_adds_in_squares(advised, tiny_bundle):
    assert advised.model_nm[-1] == tiny_bundle.meta.model_error.std_at(9.0)
    np.testing.assert_allclose(advised.total_nm**2, advised.noise_nm**2 + advised.model_nm[None] ** 2)


def test_the_best_angle_has_the_least_mean_square(advised, advice):
    criterion = np.sqrt((advised.total_nm**2).mean(axis=1))
    assert advised.best == int(np.argmin(criterion)) and advised.worst == int(np.argmax(criterion))
    assert (advice().best, advice().worst) == (1, 2)


def test_json_holds_all_of_it(advised, advice):
    read = json.loads(json.dumps(advised.as_dict(), allow_nan=False))
    assert np.shape(read["thickness_std_nm"]) == (3, 3) == np.shape(read["mistilt_std_mrad"])
    assert read["best_convergence_mrad"] in read["convergence_mrad"]
    assert read["electrons"] == 1e5 and read["system"] == "tiny"
    blind = advice(noise=(2.0, 1.0, np.inf)).as_dict()
    assert blind["thickness_std_rms_nm"][2] is None
    assert blind["best_convergence_for_mistilt_mrad"] == 14.0
    json.dumps(blind, allow_nan=False)


def test_a_path_will_do_and_a_bad_question_is_refused_at_once(tiny_bundle_file):
    with pytest.raises(ParameterError, match=r"^electrons: got -1"):
        advise(tiny_bundle_file, Question(electrons=-1))
