"""Files of DigitalMicrograph: what tags say of the axes, and spectra."""

from __future__ import annotations

import numpy as np
import pytest

from pacbed.analysis.recording.pattern_file import read_pattern
from pacbed.analysis.recording.scan_file import open_scan
from pacbed.errors import PatternError

SILENT = [(1.0, "")] * 4
PLANE, RASTER = [(0.1, "1/nm")] * 2, [(2.0, "nm")] * 2
LARGE = np.random.default_rng(3).integers(0, 4000, (33, 34, 32, 40)).astype(np.uint16)  # either pair may be a pattern


def sampled(rows, columns):
    return {"SI": {"Acquisition": {"Spatial Sampling": {"Height (pixels)": rows, "Width (pixels)": columns}}}}


def swapped(value):
    return {"Meta Data": {"Format": "Diffraction image", "Data Order Swapped": value}}


@pytest.mark.parametrize(
    ("tags", "last"),
    [(swapped(1), True), (swapped(0), False), (sampled(33, 34), True), (sampled(32, 40), False)],
)
def test_the_tag_or_the_size_of_the_scan_tells_axes_without_units(write_dm, tags, last):
    file = write_dm(LARGE, SILENT, tags=tags)
    with open_scan(file) as found:
        assert found.scan_shape == ((33, 34) if last else (32, 40))
        expected = LARGE[2, 1] if last else LARGE[:, :, 2, 1]
        np.testing.assert_array_equal(found.mean(2, 1, 1), expected)
    np.testing.assert_array_equal(read_pattern(file, frame=(2, 1)).array, expected)


@pytest.mark.parametrize("tags", [None, {"Meta Data": {"Format": "Diffraction image"}}, sampled(7, 8)])
def test_a_scan_of_which_nothing_tells_the_axes_is_asked_about(write_dm, tags):
    file = write_dm(LARGE, SILENT, tags=tags)
    with pytest.raises(PatternError, match=r"does not say which axes .* accepted: rows and columns .*--scan-shape\)$"):
        read_pattern(file, frame=(0,))
    with open_scan(file, scan_shape=(33, 34)) as found:
        np.testing.assert_array_equal(found.mean(2, 1, 1), LARGE[2, 1])
    with open_scan(file, scan_shape=(32, 40)) as found:
        np.testing.assert_array_equal(found.mean(2, 1, 1), LARGE[:, :, 2, 1])


def test_a_scan_too_small_for_a_pattern_tells_itself(write_dm, scan):
    with open_scan(write_dm(scan, SILENT)) as found:
        np.testing.assert_array_equal(found.mean(2, 1, 1), scan[2, 1])


@pytest.mark.parametrize(("units", "tag"), [(PLANE + RASTER, 0), (RASTER + PLANE, 1)])
def test_a_tag_against_the_units_is_asked_about(write_dm, units, tag):
    file = write_dm(LARGE, units, tags=swapped(tag))
    with pytest.raises(PatternError, match=r"units make axes .* but whose flags make axes"):
        read_pattern(file, frame=(0, 0))
    with open_scan(file, scan_shape=(32, 40)) as found:
        np.testing.assert_array_equal(found.mean(2, 1, 1), LARGE[:, :, 2, 1])


@pytest.mark.parametrize("tag", [0, 1])
def test_a_tag_with_the_units_is_believed(write_dm, tag):
    with open_scan(write_dm(LARGE, PLANE + RASTER if tag else RASTER + PLANE, tags=swapped(tag))) as found:
        assert found.scan_shape == ((33, 34) if tag else (32, 40))
        assert found.calibration.pixel_per_nm == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("steps", "tags"),
    [
        (SILENT[:3], {"Meta Data": {"Format": "Spectrum image", "Signal": "EELS"}}),
        (SILENT[:3], {"spim": {"eels": 1}}),
        ([*RASTER, (0.5, "eV")], None),
        ([*RASTER, (0.5, "keV")], {"Meta Data": {"Format": "Image"}}),
    ],
)
def test_spectra_are_told_in_one_line(write_dm, steps, tags):
    file = write_dm(LARGE[0], steps, tags=tags)
    for read in (read_pattern, lambda file: open_scan(file).__enter__()):
        with pytest.raises(PatternError, match=r"holds spectra \(34 x 32 x 40 values\), accepted: patterns"):
            read(file)


def test_patterns_at_several_energies_are_no_spectra(write_dm):
    with open_scan(write_dm(LARGE[0], [*PLANE, (0.5, "eV")])) as found:
        np.testing.assert_array_equal(found.mean(0, 5, 1), LARGE[0, 5])
