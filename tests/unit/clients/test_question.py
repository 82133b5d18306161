"""What is asked, as texts of a form; refusals name the argument."""

import numpy as np
import pytest
from pacbed_client.errors import InputError
from pacbed_client.question import Question, question_of

from pacbed.service.http.forms import LookupForm


def test_the_service_reads_what_was_meant():
    asked = Question(
        bundle="tiny", convergence_mrad=np.float32(14.0), energy_kev=200, pixel_mrad=0.1, mirrored=False, refine=False
    )
    form = LookupForm.model_validate(asked.fields(binning=4))
    assert (form.bundle, form.convergence_mrad, form.energy_kev) == ("tiny", 14.0, 200.0)
    assert form.pixel_mrad == 0.4 and form.mirrored is False and form.refine is False
    numpys = Question(bundle="tiny", mirrored=np.bool_(True), refine=np.bool_(False))
    form = LookupForm.model_validate(numpys.fields())
    assert form.mirrored is True and form.refine is False


@pytest.mark.parametrize("axis", ["0,0,1", "[0 0 1]", (0, 0, 1), np.array([0, 0, 1])])
def test_a_crystal_is_named_with_its_axis(axis):
    form = LookupForm.model_validate(Question(crystal="SrTiO3", axis=axis, voltage_kv=200).fields())
    assert form.direction == (0, 0, 1) and form.crystal == "SrTiO3" and form.voltage_kv == 200


def test_every_field_is_one_of_the_service():
    given = Question(bundle="a", axis="0,0,1", voltage_kv=1, energy_kev=1, dataset="d", mirrored=True).fields()
    assert set(given) <= set(LookupForm.model_fields)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({}, "bundle: got none"),
        ({"crystal": "SrTiO3"}, "together with voltage_kv"),
        ({"bundle": "a", "crystal": "b"}, "crystal: got 'b', accepted: either"),
        ({"bundle": " "}, "bundle: got ' '"),
        ({"bundle": 3}, "bundle: got 3"),
        ({"bundle": "a", "axis": "c axis"}, "axis: got 'c axis'"),
        ({"bundle": "a", "mirrored": "no"}, "mirrored: got 'no'"),
        ({"bundle": "a", "convergence": 14}, "argument: got 'convergence', accepted: .*convergence_mrad"),
    ],
)
def test_refusals(asked, said):
    with pytest.raises(InputError, match=said):
        question_of(asked)


@pytest.mark.parametrize("name", ["voltage_kv", "convergence_mrad", "energy_kev", "pixel_mrad"])
@pytest.mark.parametrize("value", [0, -1, np.nan, np.inf, "13.7", True, [1], 1e400])
def test_numbers_are_above_zero(name, value):
    with pytest.raises(InputError, match=f"{name}: got .*accepted: a number above 0"):
        question_of({"bundle": "a", name: value})
