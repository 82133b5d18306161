import pytest

from pacbed.analysis.recording.metadata import Calibration, image_calibration, read_calibration
from pacbed.crystal.electron import mrad_per_inverse_a
from pacbed.errors import PatternError


def axes(scale, unit, other=None):
    return [{"scale": other or scale, "units": unit}, {"scale": scale, "units": unit}]


HYPERSPY = {"Acquisition_instrument": {"TEM": {"beam_energy": 200.0, "convergence_angle": 13.6}}}


@pytest.mark.parametrize(("scale", "unit"), [(0.2, "mrad"), (2e-4, "rad"), (200.0, "µrad")])
def test_angles_need_no_energy(scale, unit):
    assert read_calibration(axes(scale, unit), {}, {}).pixel_mrad == pytest.approx(0.2)


@pytest.mark.parametrize(
    ("scale", "unit"), [(0.08, "1/nm"), (0.08, "nm^-1"), (0.008, "1/Å"), (0.008, "Å⁻¹"), (0.008, "1 / A")]
)
def test_spatial_frequencies_become_angles_through_the_wavelength(scale, unit):
    found = read_calibration(axes(scale, unit), HYPERSPY, {})
    assert found.pixel_mrad == pytest.approx(0.08 * 0.1 * mrad_per_inverse_a(200e3))
    assert read_calibration(axes(scale, unit), {}, {}).pixel_mrad is None


@pytest.mark.parametrize("unit", ["", None, "px", "nm", "<undefined>"])
def test_other_units_say_nothing(unit):
    assert read_calibration(axes(1.0, unit), HYPERSPY, {}) == Calibration(None, 200.0, 13.6)


def test_gatan_and_velox_tags_are_found_wherever_they_hang():
    gatan = {"ImageList": {"TagGroup0": {"ImageTags": {"Microscope Info": {"Voltage": 80000.0}}}}}
    gatan["ImageList"]["TagGroup0"]["ImageTags"]["EELS"] = {"Convergence semi-angle (mrad)": 20.5}
    assert read_calibration([], {}, gatan) == Calibration(None, 80.0, 20.5)
    velox = {"Optics": {"AccelerationVoltage": "300000", "BeamConvergence": "0.0196"}}
    found = read_calibration([], {}, velox)
    assert (found.energy_kev, found.convergence_mrad) == (300.0, pytest.approx(19.6))


def test_zero_stands_for_not_set():
    assert read_calibration([], {"Acquisition_instrument": {"TEM": {"beam_energy": 0.0}}}, {}) == Calibration()


def test_oblong_pixels_are_refused():
    with pytest.raises(PatternError, match="square"):
        read_calibration(axes(0.2, "mrad", other=0.3), {}, {})


def test_one_axis_or_three_give_no_pixel():
    assert read_calibration(axes(0.2, "mrad")[:1], {}, {}).pixel_mrad is None
    assert read_calibration([*axes(0.2, "mrad"), *axes(0.2, "mrad")[:1]], {}, {}).pixel_mrad is None


def test_an_image_brings_its_own_dictionaries():
    image = {"metadata": HYPERSPY, "original_metadata": {"Optics": {"BeamConvergence": 0.02}}}
    assert image_calibration(image, axes(0.2, "mrad")) == Calibration(0.2, 200.0, 13.6)
    assert image_calibration({"metadata": {}}, axes(0.2, "mrad")) == Calibration(0.2)
