import shutil
import zipfile

import numpy as np
import pytest
import zarr

from pacbed.analysis.recording.formats.containers.zarr_folder import open_zarr
from pacbed.analysis.recording.pattern_file import read_pattern
from pacbed.analysis.recording.scan_file import open_scan
from pacbed.analysis.recording.stored import Axis
from pacbed.errors import PatternError


@pytest.mark.parametrize("zipped", [False, True])
def test_hyperspy_s_layout_brings_its_axes(layouts, tmp_path, scan, zipped):
    with open_scan(layouts["write_zspy"](tmp_path / "a.zspy", scan, zipped=zipped)) as found:
        assert found.scan_shape == (3, 5)
        assert (found.calibration.pixel_mrad, found.calibration.energy_kev) == (0.4, 200.0)
        np.testing.assert_array_equal(found.mean(2, 1, 1), scan[2, 1])


def test_arrays_of_any_depth_are_found(tmp_path, scan, image):
    root = zarr.open_group(str(tmp_path / "a.zarr"), mode="w")
    root.create_array("film/data", data=scan)
    root.create_array("dark", data=image)
    root.create_array("axis", data=np.arange(5))
    with open_zarr(tmp_path / "a.zarr") as found:
        assert sorted(one.path for one in found) == ["dark", "film/data"]
    np.testing.assert_array_equal(read_pattern(tmp_path / "a.zarr", dataset="dark").array, image)
    with open_scan(tmp_path / "a.zarr") as opened:
        np.testing.assert_array_equal(opened.mean(1, 4, 1), scan[1, 4])


def test_one_array_in_a_folder_or_a_zip_file(tmp_path, image):
    zarr.create_array(str(tmp_path / "a.zarr"), data=image)
    with zarr.storage.ZipStore(tmp_path / "a.zarr.zip", mode="w") as store:
        zarr.create_array(store, data=image)
    for name in ("a.zarr", "a.zarr.zip"):
        np.testing.assert_array_equal(read_pattern(tmp_path / name).array, image)


def test_names_and_coordinates_of_xarray_tell_the_axes(tmp_path, scan):
    import xarray

    places = {"ky": 0.4 * np.arange(32.0), "kx": 0.4 * np.arange(40.0), "y": np.arange(3.0), "x": np.arange(5.0)}
    data = xarray.DataArray(np.moveaxis(scan, (2, 3), (0, 1)), places, ["ky", "kx", "y", "x"], name="film")
    for name in ("ky", "kx"):
        data[name].attrs["units"] = "mrad"
    for version in (2, 3):
        file = tmp_path / f"v{version}.zarr"
        data.to_zarr(file, zarr_format=version, consolidated=False)
        with open_scan(file) as found:
            assert found.scan_shape == (3, 5) and found.calibration.pixel_mrad == pytest.approx(0.4)
            np.testing.assert_array_equal(found.mean(2, 1, 1), scan[2, 1])


def test_a_long_coordinate_is_read_at_its_ends(tmp_path):
    count = 2**40
    root = zarr.open_group(str(tmp_path / "a.zarr"), mode="w", zarr_format=2)
    film = root.create_array("film", shape=(count, 32, 40), dtype="u2", chunks=(1, 32, 40))
    film.attrs["_ARRAY_DIMENSIONS"] = ["t", "y", "x"]
    places = root.create_array("t", shape=(count,), dtype="f8", chunks=(1000,))
    places[-1] = 0.5 * (count - 1)
    with open_zarr(tmp_path / "a.zarr") as (found,):
        assert found.axes[0] == Axis("t", "", 0.5)


@pytest.mark.parametrize("name", ["", "film"])
def test_a_chunk_of_gigabytes_is_refused(tmp_path, name):
    about = {"shape": (40_000, 192, 192), "dtype": "u2", "chunks": (40_000, 192, 192)}
    if name:
        zarr.open_group(str(tmp_path / "a.zarr"), mode="w").create_array(name, **about)
    else:
        zarr.create_array(str(tmp_path / "a.zarr"), **about)
    with pytest.raises(PatternError, match=rf"a\.zarr{', film' if name else ''}: got chunks of 2\.7 GiB"):
        read_pattern(tmp_path / "a.zarr", frame=(0,))


def test_a_long_axis_of_hyperspy_is_refused(layouts, tmp_path, scan):
    file = layouts["write_zspy"](tmp_path / "a.zspy", scan)
    experiments = zarr.open_group(str(file), mode="a")["Experiments"]
    (group,) = (inner for _, inner in experiments.groups())
    group["axis-0"].create_array("axis", shape=(2**40,), dtype="f8", chunks=(1000,))
    with pytest.raises(PatternError, match=r"axis-0/axis: got a list of"):
        read_pattern(file, frame=(0,))


def pack(folder, *names):
    """An archive as a file manager makes it, with the folders themselves inside."""
    file = folder / "packed.zip"
    with zipfile.ZipFile(file, "w") as archive:
        for name in names:
            for path in (folder / name, *sorted((folder / name).rglob("*"))):
                archive.write(path, path.relative_to(folder))
        archive.writestr("__MACOSX/._a.zarr", b"\0")
    return file


@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize("name", ["a.zarr", "films/today/a.zarr"])
def test_a_packed_folder_is_found_in_its_archive(tmp_path, scan, version, name):
    root = zarr.open_group(str(tmp_path / name), mode="w", zarr_format=version)
    root.create_array("film/data", data=scan)
    root.create_array("other/data", data=scan)
    with open_scan(pack(tmp_path, name.split("/")[0]), dataset="film/data") as found:
        np.testing.assert_array_equal(found.mean(2, 1, 1), scan[2, 1])


def test_a_packed_array_and_a_packed_file_of_hyperspy(layouts, tmp_path, scan, image):
    zarr.create_array(str(tmp_path / "a.zarr"), data=image)
    np.testing.assert_array_equal(read_pattern(pack(tmp_path, "a.zarr")).array, image)
    layouts["write_zspy"](tmp_path / "b.zspy", scan)
    with open_scan(pack(tmp_path, "b.zspy")) as found:
        assert found.calibration.pixel_mrad == 0.4
        np.testing.assert_array_equal(found.mean(2, 1, 1), scan[2, 1])


def test_several_stores_in_an_archive_are_named(tmp_path, image):
    zarr.create_array(str(tmp_path / "a.zarr"), data=image)
    shutil.copytree(tmp_path / "a.zarr", tmp_path / "b.zarr")
    with pytest.raises(PatternError, match=r"holds Zarr stores in a\.zarr, b\.zarr, accepted: one store"):
        read_pattern(pack(tmp_path, "a.zarr", "b.zarr"))


@pytest.mark.parametrize("zipped", [False, True])
def test_a_signal_of_hyperspy_by_its_path(layouts, tmp_path, scan, zipped):
    file = layouts["write_zspy"](tmp_path / "a.zspy", scan, zipped=zipped)
    with open_scan(file, dataset="Experiments/film") as found:
        np.testing.assert_array_equal(found.mean(2, 1, 1), scan[2, 1])
