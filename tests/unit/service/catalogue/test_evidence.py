"""What a bundle tells of its errors: that of the method that answers, of any bundle whatever its metrics hold."""

import pytest

from pacbed.bundle.archive import Archive
from pacbed.bundle.meta import ModelEffect, ModelError
from pacbed.bundle.pretrained.names import shipped_bundles
from pacbed.service.catalogue.evidence import MEDIAN_OF_NORMAL, measured, worth


@pytest.fixture
def meta(tiny_bundle):
    """Function that makes the meta data of a bundle with an evaluation."""
    return lambda evaluation: tiny_bundle.meta.model_copy(update={"metrics": {"evaluation": evaluation}})


def row(method, noise, median=0.1, **more):
    return {"method": method, "noise": noise, "thickness_median_nm": median, "patterns": 30, **more}


def test_a_shipped_bundle_tells_its_errors():
    meta = Archive(shipped_bundles()["srtio3_200kv"]).meta
    levels = measured(meta)
    assert [(one.noise, one.electrons) for one in levels] == [(0.0, None), (0.05, None), (0.1, None), (None, 1e5)]
    rows = meta.metrics["evaluation"]["errors_direct"]
    told = next(one for one in rows if one["noise"] == 0.1 and one["method"] == "networks_refinement")
    assert levels[2].fit_nm == told["thickness_median_nm"] and levels[2].patterns == 12
    assert 0.5 < levels[2].fit_nm / levels[2].smallest_nm < 2 < levels[2].networks_nm / levels[2].smallest_nm
    assert levels[2].kind == "summed from plane waves"


def test_the_method_that_answers_counts_and_the_harder_patterns(meta):
    evaluation = {
        "errors": [
            row("match_refinement", 0.1, 0.5), row("networks_refinement", 0.1, 0.2, thickness_rmse_nm=0.3),
            row("networks", 0.1, 0.9), row("floor", 0.1, 0.15), row("match_refinement", 0.0, 0.01),
        ],
        "errors_direct": [row("networks_refinement", 0.0, 0.04, patterns=12, floor_nm=0.02)],
    }  # fmt: skip
    clean, noisy = measured(meta(evaluation))
    assert (clean.fit_nm, clean.patterns, clean.smallest_nm, clean.networks_nm) == (
        0.04,
        12,
        MEDIAN_OF_NORMAL * 0.02,
        None,
    )
    assert (noisy.fit_nm, noisy.fit_rmse_nm, noisy.networks_nm, noisy.smallest_nm) == (
        0.2,
        0.3,
        0.9,
        MEDIAN_OF_NORMAL * 0.15,
    )


def test_counted_electrons_come_last_and_many_first(meta):
    counted = [row("refinement", None, electrons=number) for number in (1e4, 1e6)]
    levels = measured(meta({"errors_counted": counted, "errors": [row("refinement", 0.2)]}))
    assert [(one.noise, one.electrons) for one in levels] == [(0.2, None), (None, 1e6), (None, 1e4)]


@pytest.mark.parametrize(
    "evaluation",
    [
        None, "none", [], {}, {"errors": None}, {"errors": {"a": 1}}, {"errors": [1, None, "x", []]},
        {"errors": [{"method": "networks_refinement"}]}, {"errors": [row("networks", 0.1)]},
        {"errors": [row("networks_refinement", "much"), row(None, 0.1), row(["x"], 0.1)]},
        {"errors": [row("networks_refinement", -1.0), row("networks_refinement", float("nan"))]},
    ],
)  # fmt: skip
def test_what_is_no_evaluation_is_left_out(meta, evaluation):
    assert measured(meta(evaluation)) == []


def test_values_that_are_none_are_left_out(meta):
    evaluation = {"errors": [row("refinement", 0.1, "<script>", patterns=float("inf"), thickness_rmse_nm=True)]}
    (one,) = measured(meta(evaluation))
    assert (one.fit_nm, one.fit_rmse_nm, one.patterns, one.smallest_nm) == (None, None, 0, None)
    assert len(measured(meta({"errors": [row("refinement", float(n)) for n in range(10**4)]}))) <= 50


def test_effects_are_sorted_by_what_they_are_worth(tiny_bundle):
    def effect(bias_nm, *, counted=True):
        return ModelEffect(size=0.15, unit="of it", source="here", counted=counted, signs=[1], bias_nm=[0.1, bias_nm])

    effects = {"a": effect(0.2), "b": effect(9, counted=False), "c": effect(0.5)}
    budget = ModelError(thickness_nm=[5, 10], std_nm=[0.1, 0.6], effects=effects, source="here")
    found = worth(tiny_bundle.meta.model_copy(update={"model_error": budget}))
    assert [one.name for one in found] == ["c", "a", "b"] and found[0].varied == "15 % of it"
