import json
from math import pi, radians
from pathlib import Path

import pytest

from pacbed.analysis.recording.metadata import read_calibration
from pacbed.analysis.recording.stored import Axis
from pacbed.analysis.recording.units import Unit, mrad_from_per_nm, parse_unit, per_nm_from_mrad

SIZE_MRAD, ENERGY_KEV = 0.3854, 200.0
SIZE_PER_NM = 0.15367146845962745  # the same at 200 kV, wavelength 2.5079 pm
PER_NM = [
    *("1/nm", "(1/nm)", "[1/nm]", "/nm", "nm^-1", "nm⁻¹", "1 / nm", "nm-1", "nm**-1", "$nm^{-1}$", "1/NM", "[n_m^-1]"),
    *("k_nm^{-1}", "nm^(-1)", "1/[nm]", "inverse nm", "reciprocal nanometers", "1/nm/px", b"1/nm", "per nm"),
]
PER_ANGSTROM = [
    "1/A",
    "1/Å",
    "$A^{-1}$",
    "k_A^{-1}",
    "Å^-1",
    "A^-1",
    "Å⁻¹",
    "1 / Å",
    r"$\mathrm{\AA^{-1}}$",
    "1/Angstrom",
    "Å–1",
    "1⁄Å",
    "1∕Å",
    "Å⁻¹ px⁻¹",
]
PER_OTHER = {"1/um": 1e3, "1/µm": 1e3, "1/μm": 1e3, "1/micron": 1e3, "1/pm": 1e-3, "1/m": 1e9, "m^-1": 1e9, "1/mm": 1e6}
ANGLES = {
    **dict.fromkeys(
        [
            "mrad",
            "milliradian",
            "mrads",
            "mRad",
            "mrad/px",
            "mrad/pixel",
            "mrad per pixel",
            "mrad px^-1",
            "2theta mrad",
            "mrad\0",
            b"mrad\0\0x",
        ],
        1.0,
    ),
    **dict.fromkeys(["rad", "radian", "radians"], 1e3),
    **dict.fromkeys(["µrad", "urad", "μrad"], 1e-3),
    **dict.fromkeys(["deg", "degrees", "°", "Degree"], 1e3 * radians(1)),
}


def pixel(scale, unit):
    """Pixel size of a square pixel at 200 kV [mrad]."""
    step = Axis(unit=unit, scale=scale)
    return read_calibration([step, step], {"Acquisition_instrument": {"TEM": {"beam_energy": ENERGY_KEV}}}, {})


@pytest.mark.parametrize(
    ("unit", "in_nm"),
    [*((unit, 1.0) for unit in PER_NM), *((unit, 0.1) for unit in PER_ANGSTROM), *PER_OTHER.items()],
    ids=str,
)
def test_one_spatial_frequency_in_every_spelling_is_one_pixel(unit, in_nm):
    stated = pixel(SIZE_PER_NM * in_nm, unit)
    assert stated.pixel_mrad == pytest.approx(SIZE_MRAD, rel=1e-4)
    assert stated.pixel_per_nm == pytest.approx(SIZE_PER_NM)


@pytest.mark.parametrize(("unit", "in_mrad"), ANGLES.items(), ids=str)
def test_one_angle_in_every_spelling_is_one_pixel(unit, in_mrad):
    stated = pixel(SIZE_MRAD / in_mrad, unit)
    assert stated.pixel_mrad == pytest.approx(SIZE_MRAD) and stated.pixel_per_nm is None


def test_a_wave_number_holds_two_pi():
    assert parse_unit("rad/nm") == Unit("frequency", pytest.approx(1 / (2 * pi)))


@pytest.mark.parametrize(
    "unit",
    [
        "",
        None,
        "px",
        "pixels",
        "<undefined>",
        "1",
        "1/px",
        "inch",
        "nm",
        "Å",
        "µm",
        "s",
        "ms",
        "index",
        "dimensionless",
    ],
)
def test_what_says_nothing_of_angles_gives_no_pixel(unit):
    assert not parse_unit(unit).is_diffraction
    stated = pixel(0.4, unit)
    assert stated.pixel_mrad is None and stated.trouble == ""


@pytest.mark.parametrize("unit", ["furlong", "full angle mrad", "1/furlong", "deg theta", "1/nm^2", "counts", "k"])
def test_what_nobody_understands_is_trouble_and_not_silence(unit):
    assert parse_unit(unit) is None
    assert repr(unit) in pixel(0.4, unit).trouble


@pytest.mark.parametrize(
    ("unit", "kind", "nm"), [("nm", "length", 1), ("Å", "length", 0.1), ("micron", "length", 1e3), ("m", "length", 1e9)]
)
def test_lengths_are_known_as_such(unit, kind, nm):
    assert parse_unit(unit) == Unit(kind, pytest.approx(nm))


@pytest.mark.parametrize("energy_kev", [60.0, 200.0, 300.0])
def test_angle_and_spatial_frequency_make_a_round_trip(energy_kev):
    assert per_nm_from_mrad(mrad_from_per_nm(0.7, energy_kev), energy_kev) == pytest.approx(0.7)
    assert mrad_from_per_nm(1.0, 200.0) == pytest.approx(2.5079, abs=1e-4)  # the wavelength in pm


def test_the_thirty_spellings_of_one_pixel():
    """As in a folder of small files: a spelling each, with the scale it needs."""
    spellings = json.loads((Path(__file__).parent / "spellings.json").read_text(encoding="utf-8"))
    found = {entry["unit"]: pixel(entry["scale"], entry["unit"]).pixel_mrad for entry in spellings}
    assert len(found) == 30
    assert found == {unit: pytest.approx(SIZE_MRAD, rel=1e-4) for unit in found}
