"""Values that stand for others."""

from __future__ import annotations

import h5py
import numpy as np
import pytest
import tifffile

from pacbed.analysis.recording.pattern_file import read_pattern
from pacbed.analysis.recording.scaled import Scaled, Turned, unpacked
from pacbed.analysis.recording.scan_file import open_scan

PACKED = {"scale_factor": 0.5, "add_offset": 3.0, "_FillValue": np.int16(-1)}


def _meant(stored: np.ndarray) -> np.ndarray:
    return np.where(stored == -1, np.nan, 0.5 * stored.astype(np.float32) + 3)


@pytest.fixture
def stored(image):
    """Counts, of which three pixels have none."""
    stored = image.astype(np.int16)
    stored[5, 7:10] = -1
    return stored


def test_netcdf_of_packed_numbers(tmp_path, stored):
    with h5py.File(tmp_path / "a.nc", "w") as store:
        store["counts"] = stored
        store["counts"].attrs.update(PACKED)
    np.testing.assert_array_equal(read_pattern(tmp_path / "a.nc").array, _meant(stored))


@pytest.mark.parametrize("version", [2, 3])
def test_zarr_of_xarray(tmp_path, stored, version):
    import xarray

    values = xarray.DataArray(_meant(stored), dims=("ky", "kx"), name="counts").to_dataset()
    values.to_zarr(
        tmp_path / "a.zarr", zarr_format=version, consolidated=False, encoding={"counts": {"dtype": "int16", **PACKED}}
    )
    found = read_pattern(tmp_path / "a.zarr").array
    real = np.isfinite(_meant(stored))
    np.testing.assert_array_equal(found[real], _meant(stored)[real])


def test_a_scan_of_packed_numbers_is_read_in_parts(tmp_path, scan):
    with h5py.File(tmp_path / "a.h5", "w") as store:
        store.create_dataset("counts", data=scan, chunks=(1, 1, 32, 40))
        store["counts"].attrs["scale_factor"] = 0.25
    with open_scan(tmp_path / "a.h5") as found:
        np.testing.assert_array_equal(found.mean(2, 1, 1), 0.25 * scan[2, 1])


@pytest.mark.parametrize(
    "attributes", [{}, {"_FillValue": np.float32("nan")}, {"scale_factor": "none"}, {"add_offset": 0}]
)
def test_values_that_stand_for_themselves_are_left_in_the_file(image, attributes):
    assert unpacked(image, attributes) is image


@pytest.mark.parametrize("frames", [1, 3])
def test_signed_numbers_of_imagej(tmp_path, image, frames):
    counts = np.stack([image.astype(int) - 100 + number for number in range(frames)])
    about = f"ImageJ=1.54f\nimages={frames}\nslices={frames}\nunit=mrad\ncf=0\nc0=-32768.0\nc1=1.0\nvunit=Gray Value\n"
    tifffile.imwrite(
        tmp_path / "a.tif", (counts + 32768).astype(np.uint16).squeeze(), description=about, metadata=None,
        resolution=(2, 2), photometric="minisblack",
    )  # fmt: skip
    pattern = read_pattern(tmp_path / "a.tif", frame=(frames - 1,))
    np.testing.assert_array_equal(pattern.array, counts[-1])
    assert pattern.calibration.pixel_mrad == 0.5


def test_a_part_of_scaled_values():
    scaled = Scaled(np.arange(12).reshape(3, 4), 2.0, -1.0, (5,))
    assert (scaled.shape, scaled.dtype) == ((3, 4), np.float32)
    np.testing.assert_array_equal(scaled[1, 1:3], [np.nan, 11])


@pytest.mark.parametrize(
    "key", [..., 2, (2, 1), (slice(1, 3), 0), (0, 4, slice(2, 9), 3), (..., 5), (1, ..., slice(7)), (slice(None),) * 4]
)
def test_a_part_of_turned_pictures(scan, key):
    turned = Turned(scan, lambda pages: pages.swapaxes(-1, -2)[..., ::-1])
    whole = np.rot90(scan, -1, axes=(2, 3))
    assert (turned.shape, turned.dtype) == (whole.shape, scan.dtype)
    np.testing.assert_array_equal(turned[key], whole[key])
