"""The bundle that a request means, or the nearest ones."""

from dataclasses import replace

import pytest

from pacbed.service.catalogue.choose import by_crystal, by_name
from pacbed.service.problems import ServiceError
from tests.unit.service.catalogue.test_served import shipped


@pytest.fixture(scope="module")
def bundles():
    return [shipped(name) for name in ("au110_200kv", "rutile_80kv", "si110_200kv", "srtio3_200kv")]


def test_by_name_and_by_hash(bundles):
    assert by_name(bundles, "rutile_80kv").name == by_name(bundles, "r" * 10).name == "rutile_80kv"


@pytest.mark.parametrize("name", ["rutil", "r" * 3, "", "../rutile_80kv", "x" * 500])
def test_another_name_is_answered_by_the_nearest(bundles, name):
    with pytest.raises(ServiceError, match="the nearest being") as caught:
        by_name(bundles, name)
    assert caught.value.status == 404 and len(str(caught.value)) < 500


@pytest.mark.parametrize("axis", [(0, 0, 1), (0, 0, -3)])
def test_by_crystal_axis_and_voltage(bundles, axis):
    assert by_crystal(bundles, "STRONTIUM titanate", axis, 200.5).name == "srtio3_200kv"


@pytest.mark.parametrize(
    ("crystal", "axis", "kev"),
    [("Rutile", (0, 0, 1), 300), ("Rutile", (1, 0, 0), 80), ("Rutile", (0, 0, 0), 80), ("Beryl", (0, 0, 1), 80)],
)
def test_what_nobody_serves(bundles, crystal, axis, kev):
    with pytest.raises(ServiceError, match=r"accepted: a bundle that is served") as caught:
        by_crystal(bundles, crystal, axis, kev)
    assert caught.value.status == 404
    if crystal == "Rutile":
        assert "the nearest being rutile_80kv" in str(caught.value)


def test_the_angle_decides_between_two(bundles):
    rutile = bundles[1]
    ranges = rutile.meta.trained.model_copy(update={"convergence_mrad": (5.0, 9.0)})
    narrow = replace(rutile, name="a_narrow", meta=rutile.meta.model_copy(update={"trained": ranges}))
    both = [narrow, rutile]
    assert by_crystal(both, "Rutile", (0, 0, 1), 80, 20.0) is rutile
    assert by_crystal(both, "Rutile", (0, 0, 1), 80, 7.0) is narrow


def test_one_whose_table_is_made_is_asked_again_later(bundles):
    with pytest.raises(ServiceError, match="table is being made") as caught:
        by_name([replace(bundles[0], state="preparing")], "au110_200kv")
    assert caught.value.status == 503 and caught.value.retry_s


def test_nothing_at_all():
    with pytest.raises(ServiceError, match="no bundle is served"):
        by_name([], "x")
