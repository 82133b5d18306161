"""Pixel sizes of DigitalMicrograph are those that the package reads from its files."""

import pytest
from pacbed_client.gms.units import Pixel, pixel_of, wavelength_nm

from pacbed.analysis.recording.units import mrad_from_per_nm, parse_unit

UNITS = [
    "mrad",
    "rad",
    "µrad",
    "μrad",
    "deg",
    "°",
    "1/nm",
    "nm-1",
    "nm^-1",
    "1/Å",
    "1/A",
    "Å⁻¹",
    "1/pm",
    "(1/nm)",
    "1 / nm",
]


@pytest.mark.parametrize("unit", UNITS)
def test_a_unit_means_what_it_means_in_a_file(unit):
    known, found = parse_unit(unit), pixel_of(-0.3, unit)
    size = found.mrad if known.kind == "angle" else found.per_nm
    assert size == pytest.approx(0.3 * known.factor, rel=1e-9)
    assert (found.mrad is None) is (known.kind == "frequency")


@pytest.mark.parametrize("unit", ["", "nm", "µm", "px", "pixels", "s", "eV", "furlong"])
def test_other_units_say_nothing_of_angles(unit):
    assert pixel_of(0.3, unit) == Pixel() and Pixel().at(200) is None


@pytest.mark.parametrize("energy_kev", [30, 80, 200, 300, 1000])
def test_a_frequency_is_an_angle_at_an_energy(energy_kev):
    assert pixel_of(0.3, "1/nm").at(energy_kev) == pytest.approx(mrad_from_per_nm(0.3, energy_kev), rel=1e-6)
    assert pixel_of(0.3, "1/nm").at(None) is None
    assert pixel_of(0.3, "mrad").at(energy_kev) == pixel_of(0.3, "mrad").at(None) == 0.3


def test_wavelengths_are_those_of_textbooks():
    assert wavelength_nm(200) == pytest.approx(2.508e-3, abs=5e-7)  # Reimer and Kohl, table 2.2
    assert wavelength_nm(300) == pytest.approx(1.969e-3, abs=5e-7)
