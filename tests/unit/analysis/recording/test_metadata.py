import numpy as np
import pytest

from pacbed.analysis.recording.metadata import Calibration, read_calibration
from pacbed.analysis.recording.stored import Axis
from pacbed.crystal.electron import mrad_per_inverse_a


def axes(scale, unit, other=None):
    return [Axis(unit=unit, scale=other or scale), Axis(unit=unit, scale=scale)]


HYPERSPY = {"Acquisition_instrument": {"TEM": {"beam_energy": 200.0, "convergence_angle": 13.6}}}


def test_a_spatial_frequency_waits_for_the_beam_energy():
    stated = read_calibration(axes(0.08, "1/nm"), {}, {})
    assert stated.pixel_mrad is None and stated.pixel_at(None) is None
    assert stated.pixel_at(300.0) == pytest.approx(0.08 * 0.1 * mrad_per_inverse_a(300e3))
    known = read_calibration(axes(0.08, "1/nm"), HYPERSPY, {})
    assert known.pixel_mrad == known.pixel_at(200.0) != known.pixel_at(300.0)


def test_an_angle_does_not_depend_on_the_beam_energy():
    stated = read_calibration(axes(0.2, "mrad"), HYPERSPY, {})
    assert stated.pixel_mrad == stated.pixel_at(80.0) == stated.pixel_at(None) == 0.2


def test_gatan_and_velox_tags_are_found_wherever_they_hang():
    gatan = {"ImageList": {"TagGroup0": {"ImageTags": {"Microscope Info": {"Voltage": 80000.0}}}}}
    gatan["ImageList"]["TagGroup0"]["ImageTags"]["EELS"] = {"Convergence semi-angle (mrad)": 20.5}
    assert read_calibration([], {}, gatan) == Calibration(None, 80.0, 20.5)
    velox = {"Optics": {"AccelerationVoltage": "300000", "BeamConvergence": "0.0196"}}
    found = read_calibration([], {}, velox)
    assert (found.energy_kev, found.convergence_mrad) == (300.0, pytest.approx(19.6))


@pytest.mark.parametrize(("stated", "kev"), [(200.0, 200.0), (200e3, 200.0), (30.0, 30.0)])
def test_volts_and_kilovolts_cannot_be_mistaken(stated, kev):
    assert read_calibration([], {"Acquisition_instrument": {"TEM": {"beam_energy": stated}}}, {}).energy_kev == kev
    assert read_calibration([], {"Acquisition_instrument": {"SEM": {"beam_energy": stated}}}, {}).energy_kev == kev


@pytest.mark.parametrize(("stated", "mrad"), [(13.7, 13.7), (0.0137, 13.7), (1.2, 1.2)])
def test_radians_and_milliradians_cannot_be_mistaken(stated, mrad):
    metadata = {"Acquisition_instrument": {"TEM": {"convergence_angle": stated}}}
    assert read_calibration([], metadata, {}).convergence_mrad == pytest.approx(mrad)


def test_zero_stands_for_not_set():
    assert read_calibration([], {"Acquisition_instrument": {"TEM": {"beam_energy": 0.0}}}, {}) == Calibration()
    assert read_calibration(axes(0.0, "1/nm", 0.0), {}, {}) == Calibration()


def test_oblong_pixels_count_by_their_mean_up_to_five_percent():
    stated = read_calibration(axes(0.2, "mrad", other=0.206), {}, {})
    assert (stated.pixel_mrad, stated.oblong, stated.trouble) == (pytest.approx(0.203), pytest.approx(1.03), "")
    spoilt = read_calibration(axes(0.2, "mrad", other=0.3), {}, {})
    assert spoilt.pixel_mrad is None and "0.3 mrad by 0.2 mrad, which is not square" in spoilt.trouble


def test_a_scale_that_runs_backwards_is_a_scale():
    assert read_calibration(axes(-0.2, "mrad"), {}, {}).pixel_mrad == 0.2


@pytest.mark.parametrize(
    ("other", "text"), [(Axis(unit="", scale=0.2), "0.2 mrad by 0.2 (no unit)"), (Axis(unit="1/nm", scale=0.1), "1/nm")]
)
def test_axes_in_different_units_are_trouble(other, text):
    stated = read_calibration([Axis(unit="mrad", scale=0.2), other], HYPERSPY, {})
    assert stated.pixel_mrad is None and text in stated.trouble


def test_steps_that_are_not_uniform_are_trouble():
    stated = read_calibration([Axis(unit="mrad", scale=0.2), Axis(unit="mrad", scale=float("nan"))], {}, {})
    assert stated.pixel_mrad is None and "not uniform" in stated.trouble


def test_one_axis_or_three_give_no_pixel():
    assert read_calibration(axes(0.2, "mrad")[:1], {}, {}).pixel_mrad is None
    assert read_calibration([*axes(0.2, "mrad"), *axes(0.2, "mrad")[:1]], {}, {}).pixel_mrad is None


def test_py4dstem_notes_its_pixel_beside_the_axes():
    noted = {"calibration": {"Q_pixel_size": np.float64(0.0154), "Q_pixel_units": b"A^-1"}}
    assert read_calibration(axes(1.0, "pixels"), {}, noted).pixel_per_nm == pytest.approx(0.154)
    assert read_calibration(axes(0.0154, "1 / Å"), {}, noted).pixel_per_nm == pytest.approx(0.154)
    assert "by the calibration" in read_calibration(axes(0.02, "1 / Å"), {}, noted).trouble
