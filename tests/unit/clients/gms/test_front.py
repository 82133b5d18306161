"""What an image of DigitalMicrograph is."""

import numpy as np
import pytest
from pacbed_client.errors import ClientError
from pacbed_client.gms.front import CONVERGENCE, VOLTAGE, counts_of, read_front_image

from pacbed.analysis.recording.metadata import DM_CONVERGENCE, DM_VOLTAGE
from tests.unit.clients.gms.stand_in import DigitalMicrograph

COUNTS = np.arange(60.0, dtype=np.float32).reshape(6, 10)


@pytest.fixture
def dm():
    return DigitalMicrograph()


def test_the_tags_are_those_that_the_package_reads():
    assert VOLTAGE.replace(":", ".") == DM_VOLTAGE
    assert {name.replace(":", ".") for name in CONVERGENCE} == set(DM_CONVERGENCE)


def test_an_image_with_everything(dm):
    image = dm.open(COUNTS, "film 3", calibration=[(0.0, -0.25, "mrad"), (5.0, 0.25, b"mrad")])
    image.tags.update({VOLTAGE: 200e3, CONVERGENCE[0]: 13.7})
    front = read_front_image(dm)
    assert front.name == "film 3" and front.shape == (6, 10)
    assert front.shape == (image.GetDimensionSize(1), image.GetDimensionSize(0))
    assert front.energy_kev == 200 and front.convergence_mrad == pytest.approx(13.7) and front.pixel_mrad == 0.25


def test_an_image_that_says_nothing(dm):
    dm.open(COUNTS, calibration=[(0.0, 1.0, b"\xb5m"), (0.0, 1.0, b"\xb5m")])
    front = read_front_image(dm)
    assert front.energy_kev is front.convergence_mrad is front.pixel_mrad is None


@pytest.mark.parametrize(("value", "energy"), [(80e3, 80), (300.0, 300), (0.0, None), (-1.0, None)])
def test_voltages_in_volts_and_kilovolts(dm, value, energy):
    dm.open(COUNTS).tags[VOLTAGE] = value
    assert read_front_image(dm).energy_kev == energy


def test_frequencies_need_a_voltage(dm):
    image = dm.open(COUNTS, calibration=[(0.0, 0.1, "1/nm"), (0.0, 0.1, "1/nm")])
    assert read_front_image(dm).pixel_mrad is None
    image.tags[VOLTAGE] = 200e3
    assert read_front_image(dm).pixel_mrad == pytest.approx(0.2508, abs=1e-4)


@pytest.mark.parametrize("other", [(0.0, 0.25, "1/nm"), (0.0, 0.25, ""), (0.0, 0.0, "mrad")])
def test_axes_that_disagree_say_nothing(dm, other):
    dm.open(COUNTS, calibration=[(0.0, 0.25, "mrad"), other])
    assert read_front_image(dm).pixel_mrad is None


def test_what_is_no_pattern_is_refused(dm):
    with pytest.raises(ClientError, match="image: got none"):
        read_front_image(dm)
    dm.open(np.zeros((3, 6, 10)))
    with pytest.raises(ClientError, match="got 3 axes, accepted: one pattern"):
        read_front_image(dm)
    dm.open(COUNTS, calibration=[(0.0, 0.25, "mrad"), (0.0, 0.28, "mrad")])
    with pytest.raises(ClientError, match=r"got pixels of 0\.25 x 0\.28, accepted: square ones"):
        read_front_image(dm)


def test_counts_are_a_copy_of_the_image_that_was_read(dm):
    image = dm.open(COUNTS.copy(), "film")
    dm.open(COUNTS * 0, "another")
    found = counts_of(dm, image.number, "film")
    np.testing.assert_array_equal(found, COUNTS)
    found[:] = 0
    np.testing.assert_array_equal(image.array, COUNTS)


def test_an_image_that_was_closed_or_is_another_one_is_refused(dm):
    image = dm.open(COUNTS, "film")
    for number, name in ((image.number + 1, "film"), (image.number, "another film")):
        with pytest.raises(ClientError, match="closed or renamed"):
            counts_of(dm, number, name)
