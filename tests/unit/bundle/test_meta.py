"""The fields of ``bundle.json``: the thickness budget's curve, bounds, versions."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pacbed.bundle.meta import BundleMeta, ModelError, PriorWidths, Ranges, Thresholds, read_meta
from pacbed.errors import FormatError

VERSION_1 = json.loads((Path(__file__).parent / "data" / "bundle_version_1.json").read_text(encoding="utf-8"))


def test_version_1_states_one_share_of_every_thickness():
    meta = read_meta(VERSION_1)
    assert isinstance(meta, BundleMeta)
    share = VERSION_1["model_error"]["relative_thickness"]
    for thickness in (1.0, 40.0, 100.0, 250.0):
        assert meta.model_error.std_at(thickness) == pytest.approx(share * thickness)
    assert meta.model_error.source == VERSION_1["model_error"]["source"]
    assert meta.system == VERSION_1["system"]


def test_meta_survives_its_json():
    meta = read_meta(VERSION_1)
    assert read_meta(json.loads(meta.model_dump_json())) == meta


def test_thresholds_of_earlier_bundles_give_way_to_measured_ones():
    assert VERSION_1["thresholds"]["misfit_noise"] == 0.9
    assert read_meta(VERSION_1).thresholds == Thresholds()
    own = json.loads(read_meta(VERSION_1).model_dump_json())
    own["thresholds"]["misfit_noise"] = 0.8
    assert read_meta(own).thresholds.misfit_noise == 0.8


@pytest.mark.parametrize("data", [None, [], "text", {}, {"schema_version": "2"}, {"schema_version": 0}])
def test_what_states_no_version_that_is_read_is_refused(data):
    with pytest.raises(FormatError, match=r"got schema_version .*accepted: 1 to 4"):
        read_meta(data)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("priors.convergence_relative", 0),
        ("thresholds.inside", 2),
        ("thresholds.ambiguous_ratio", 0.5),
        ("preprocessing.candidates", 4),
        ("trained.thickness_nm", [1]),
        ("stack_pixels", 1.5),
        ("max_angle_mrad", None),
        ("members", {"a": 1}),
    ],
)
def test_a_field_that_is_not_accepted_is_named(path, value):
    data = json.loads(read_meta(VERSION_1).model_dump_json())
    *parents, last = path.split(".")
    node = data
    for parent in parents:
        node = node[parent]
    node[last] = value
    with pytest.raises(FormatError, match=rf"bundle\.json: {path}"):
        read_meta(data)


def test_infinities_are_refused():
    data = json.loads(read_meta(VERSION_1).model_dump_json())
    with pytest.raises(FormatError, match="energy_kev"):
        read_meta({**data, "energy_kev": float("inf")})


@given(st.lists(st.floats(0, 10), min_size=2, max_size=6))
def test_the_budget_is_met_at_its_thicknesses_and_never_leaves_its_neighbours(std):
    thicknesses = [10.0 * (number + 1) for number in range(len(std))]
    budget = ModelError(thickness_nm=thicknesses, std_nm=std, source="")
    for (low, left), (high, right) in zip(
        zip(thicknesses, std, strict=True), list(zip(thicknesses, std, strict=True))[1:], strict=False
    ):
        assert budget.std_at(low) == pytest.approx(left)
        middle = budget.std_at((low + high) / 2)
        assert middle == pytest.approx((left + right) / 2)
    assert budget.std_at(0.0) == 0.0
    assert budget.std_at(2 * thicknesses[-1]) == pytest.approx(2 * std[-1])


def test_largest_values_of_the_ranges():
    ranges = Ranges(thickness_nm=(1, 100), convergence_mrad=(13, 15), mistilt_mrad=(0, 5))
    assert ranges.largest() == (100, 15, 5)


def test_what_is_left_out_has_defaults_that_are_themselves_accepted():
    for section in (PriorWidths, Thresholds):
        assert section.model_validate(section().model_dump()) == section()
