"""NeXus: which array a file itself would show."""

from __future__ import annotations

import h5py
import numpy as np
import pytest

from pacbed.analysis.recording.formats.containers.nexus import default_data
from pacbed.analysis.recording.pattern_file import read_pattern
from pacbed.analysis.recording.scan_file import open_scan
from pacbed.errors import PatternError


@pytest.fixture
def write_two(tmp_path, scan):
    """Write a file of two groups of data, in the older or the newer manner; the chain of defaults as given."""

    def write(*chain, old=False):
        with h5py.File(tmp_path / "a.nxs", "w") as store:
            for entry, group, data in (("first", "raw", scan), ("second", "mean", scan[0, 0] + 1)):
                store.create_group(entry).attrs["NX_class"] = "NXentry"
                place = store.create_group(f"{entry}/{group}")
                place.attrs["NX_class"] = "NXdata"
                place["counts"] = data
                place["noise"] = data * 0.5
                (place["counts"] if old else place).attrs["signal"] = 1 if old else "counts"
            for path, name in zip(("/", *chain), chain, strict=False):
                store[path].attrs["default"] = name
        return tmp_path / "a.nxs"

    return write


@pytest.mark.parametrize("old", [False, True])
def test_the_chain_of_defaults_chooses_the_array(write_two, tmp_path, scan, old):
    file = write_two(old=old)
    with h5py.File(file, "r+") as store:
        store.attrs["default"], store["second"].attrs["default"] = "second", "mean"
    np.testing.assert_array_equal(read_pattern(file).array, scan[0, 0] + 1)
    np.testing.assert_array_equal(read_pattern(file, dataset="first/raw/counts", frame=(2, 1)).array, scan[2, 1])
    if not old:  # there, arrays beside the chosen one are scans as well
        with open_scan(file) as found:
            np.testing.assert_array_equal(found.mean(2, 1, 1), scan[2, 1])


def test_without_a_default_several_are_asked_about(write_two):
    with pytest.raises(PatternError, match=r"one of raw \(3 x 5 x 32 x 40\), mean \(32 x 40\)"):
        read_pattern(write_two())


@pytest.mark.parametrize("group", ["nowhere", "second/counts", "", 7, [], b"second"])
def test_defaults_that_lead_nowhere_choose_nothing(write_two, group):
    file = write_two()
    with h5py.File(file, "r+") as store:
        store.attrs["default"] = group
        assert default_data(store) == ""
    with pytest.raises(PatternError, match="dataset: got none"):
        read_pattern(file)


def test_defaults_that_lead_round_come_to_an_end(write_two):
    file = write_two()
    with h5py.File(file, "r+") as store:
        store["second/self"] = h5py.SoftLink("/second")
        store.attrs["default"], store["second"].attrs["default"] = "second", "self"
        assert default_data(store) == ""


def test_another_name_of_the_same_data_is_no_other_array(layouts, tmp_path, scan):
    layouts["write_nexus"](tmp_path / "a.nxs", scan)
    with h5py.File(tmp_path / "a.nxs", "r+") as store:
        store["entry/plot"] = h5py.SoftLink("/entry/film")
    with open_scan(tmp_path / "a.nxs") as found:
        np.testing.assert_array_equal(found.mean(2, 1, 1), scan[2, 1])


NAMES = ("y", "x", "ky", "kx")


@pytest.fixture
def write_axes(tmp_path, scan):
    """Write data whose axes are named by their group or, in the older manner, by the array itself."""

    def write(group_axes=None, array_axes=None, signal="counts"):
        with h5py.File(tmp_path / "a.nxs", "w") as store:
            store.create_group("entry").attrs["NX_class"] = "NXentry"
            data = store.create_group("entry/film")
            data.attrs["NX_class"] = "NXdata"
            data["counts"] = scan
            (data["counts"] if signal == 1 else data).attrs["signal"] = signal
            for name, length in zip(NAMES, scan.shape, strict=True):
                data[name] = np.arange(length) * 0.4
                data[name].attrs["units"] = "mrad" if name.startswith("k") else "nm"
            for item, axes in ((data, group_axes), (data["counts"], array_axes)):
                if axes is not None:
                    item.attrs["axes"] = axes
        return tmp_path / "a.nxs"

    return write


@pytest.mark.parametrize("signal", ["counts", 1])
@pytest.mark.parametrize("axes", ["y:x:ky:kx", "[y, x, ky, kx]", "y,x,ky,kx", list(NAMES)])
@pytest.mark.parametrize("of_group", [False, True])
def test_axes_in_every_manner_of_naming_them(write_axes, scan, signal, axes, of_group):
    with open_scan(write_axes(*([axes, None] if of_group else [None, axes]), signal)) as found:
        assert found.scan_shape == (3, 5) and found.calibration.pixel_mrad == pytest.approx(0.4)
        assert found.step_nm == pytest.approx(0.4)
        np.testing.assert_array_equal(found.mean(2, 1, 1), scan[2, 1])


@pytest.mark.parametrize("axes", ["y:x", "a:b:c:d", ""])
def test_axes_that_are_not_there_describe_nothing(write_axes, scan, axes):
    with open_scan(write_axes(None, axes)) as found:
        assert found.calibration.pixel_mrad is None
        np.testing.assert_array_equal(found.mean(2, 1, 1), scan[2, 1])


@pytest.mark.parametrize(
    ("energy", "units", "kev"), [(200.0, "keV", 200.0), (80e3, "eV", 80.0), (8041.0, "eV", None), (200.0, "", None)]
)
def test_the_energy_of_the_beam(write_axes, energy, units, kev):
    file = write_axes(list(NAMES))
    with h5py.File(file, "r+") as store:
        store["entry/instrument/beam/incident_energy"] = energy
        store["entry/instrument/beam/incident_energy"].attrs["units"] = units
    with open_scan(file) as found:
        assert found.calibration.energy_kev == kev


def test_a_scan_beside_a_detector_is_no_series_of_dectris(tmp_path, scan):
    with h5py.File(tmp_path / "a.nxs", "w") as store:
        store["entry/instrument/detector/data"] = scan
        data = store.create_group("entry/data")
        store["entry"].attrs["NX_class"] = "NXentry"
        data.attrs.update({"NX_class": "NXdata", "signal": "data"})
        data["data"] = h5py.SoftLink("/entry/instrument/detector/data")
    with open_scan(tmp_path / "a.nxs") as found:
        np.testing.assert_array_equal(found.mean(2, 1, 1), scan[2, 1])
