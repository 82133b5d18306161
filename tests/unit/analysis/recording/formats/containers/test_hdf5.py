import h5py
import numpy as np
import pytest

from pacbed.analysis.recording.formats.containers.hdf5 import open_hdf5
from pacbed.analysis.recording.metadata import Calibration
from pacbed.analysis.recording.pattern_file import read_pattern
from pacbed.analysis.recording.scan_file import open_scan
from pacbed.analysis.recording.stored import Axis
from pacbed.errors import PatternError

PLANE = [("ky", 0.4, "1/nm", False), ("kx", 0.4, "1/nm", False)]


def test_py4dstem_scan_and_mean_pattern(layouts, tmp_path, scan):
    file = layouts["write_py4dstem"](tmp_path / "cube.h5", scan)
    with open_scan(file) as found:
        assert found.scan_shape == (3, 5) and found.calibration.pixel_per_nm == pytest.approx(0.4)
        np.testing.assert_array_equal(found.mean(2, 1, 1), scan[2, 1])
    mean = read_pattern(file, dataset="dp_mean")
    np.testing.assert_allclose(mean.array, scan.mean(axis=(0, 1)), rtol=1e-6)
    assert mean.calibration.pixel_per_nm == pytest.approx(0.4)
    with pytest.raises(PatternError, match=r"datacube \(3 x 5 x 32 x 40\), dp_mean \(32 x 40\)"):
        read_pattern(file)


def test_py4dstem_calibration_beside_axes_in_pixels(layouts, tmp_path, scan):
    with open_scan(layouts["write_py4dstem"](tmp_path / "cube.h5", scan, step=1.0, unit="pixels")) as found:
        assert found.calibration.pixel_per_nm == pytest.approx(0.4)


def test_bragg_disks_of_py4dstem_beside_a_scan(layouts, tmp_path, scan):
    file = layouts["write_py4dstem"](tmp_path / "cube.h5", scan)
    points = np.dtype([("qx", "f8"), ("qy", "f8"), ("intensity", "f8")])
    with h5py.File(file, "r+") as store:
        del store["root/dp_mean"]
        disks = store.create_group("root/braggvectors/_v_uncal")
        disks.attrs["emd_group_type"] = "pointlistarray"
        disks.create_dataset("data", (3, 5), h5py.vlen_dtype(points))[0, 0] = np.zeros(2, points)
    with open_scan(file) as found:
        np.testing.assert_array_equal(found.mean(2, 1, 1), scan[2, 1])


def test_berkeley_file(tmp_path, as_signal, image):
    from rsciio.emd import file_writer

    file_writer(str(tmp_path / "a.emd"), as_signal(image, PLANE))
    pattern = read_pattern(tmp_path / "a.emd")
    np.testing.assert_array_equal(pattern.array, image)
    assert pattern.calibration.pixel_per_nm == pytest.approx(0.4)


def test_velox_file(write_velox, image):
    pattern = read_pattern(write_velox(image, 4e8))
    np.testing.assert_array_equal(pattern.array, image)
    stated = pattern.calibration
    assert (stated.energy_kev, stated.convergence_mrad) == (300.0, pytest.approx(19.6))
    assert stated.pixel_per_nm == pytest.approx(0.4)


def test_prismatic_scan_keeps_each_depth_apart(layouts, tmp_path, scan):
    layouts["write_prismatic"](tmp_path / "prismatic.emd", [scan, scan + 1], 80.0)
    with open_scan(tmp_path / "prismatic.emd", dataset="1") as found:
        assert found.scan_shape == (3, 5) and found.calibration.energy_kev == 80.0
        assert found.calibration.pixel_per_nm == pytest.approx(0.5)
        np.testing.assert_array_equal(found.mean(1, 1, 1), scan[1, 1] + 1)


@pytest.fixture
def write_signals(write_hspy, image):
    """Write a file of HyperSpy with two signals."""

    def write(chunks, title="second"):
        file = write_hspy(image, PLANE, title="first")
        with h5py.File(file, "r+") as store:
            store.copy("Experiments/first", "Experiments/second")
            del store["Experiments/second/data"]
            store["Experiments/second"].create_dataset("data", data=image + 1, chunks=chunks)
            store["Experiments/second/metadata/General"].attrs["title"] = title
        return file

    return write


@pytest.mark.parametrize("name", ["Experiments/second/data", "/Experiments/second", "second", "1"])
@pytest.mark.parametrize("chunks", [True, None])
def test_a_signal_of_hyperspy_by_its_path(write_signals, image, name, chunks):
    np.testing.assert_array_equal(read_pattern(write_signals(chunks), dataset=name).array, image + 1)


@pytest.mark.parametrize(
    ("title", "listed"),
    [("second", "first .*, second"), ("first", "Experiments/first/data .*, Experiments/second/data")],
)
def test_signals_are_listed_by_what_means_one_alone(write_signals, title, listed):
    with pytest.raises(PatternError, match=f"one of {listed} "):
        read_pattern(write_signals(True, title))


def test_an_array_of_emd_by_its_path(layouts, tmp_path, scan):
    layouts["write_py4dstem"](tmp_path / "a.h5", scan)
    with open_scan(tmp_path / "a.h5", dataset="root/datacube/data") as found:
        np.testing.assert_array_equal(found.mean(2, 1, 1), scan[2, 1])
    assert read_pattern(tmp_path / "a.h5", dataset="/root/dp_mean").array.mean() == pytest.approx(scan.mean())


def test_an_image_of_velox_by_its_path(write_velox, image):
    np.testing.assert_array_equal(read_pattern(write_velox(image, 1e8), dataset="Data/Image/0").array, image)


@pytest.mark.parametrize("units", [("nm", "1/nm"), ("", "mrad")])
def test_nexus_data_with_its_axes(layouts, tmp_path, scan, units):
    layouts["write_nexus"](tmp_path / "a.nxs", scan, units)
    with open_scan(tmp_path / "a.nxs") as found:
        assert found.scan_shape == (3, 5)
        stated = found.calibration.pixel_per_nm or found.calibration.pixel_mrad
        assert stated == pytest.approx(0.3)
        np.testing.assert_array_equal(found.mean(2, 1, 1), scan[2, 1])


def test_nexus_axes_without_places(layouts, tmp_path, scan):
    layouts["write_nexus"](tmp_path / "a.nxs", scan)
    with h5py.File(tmp_path / "a.nxs", "r+") as store:
        store["entry/film"].attrs["axes"] = [".", ".", "ky", "kx"]
        del store["entry/film/x"], store["entry/film/y"]
    with open_scan(tmp_path / "a.nxs") as found:
        assert found.scan_shape == (3, 5) and found.calibration.pixel_per_nm == pytest.approx(0.3)
        np.testing.assert_array_equal(found.mean(2, 1, 1), scan[2, 1])


def test_nexus_file_of_rosettasciio(tmp_path, as_signal, image):
    from rsciio.nexus import file_writer

    file_writer(str(tmp_path / "a.nxs"), as_signal(image, PLANE, tem={"beam_energy": 200.0}))
    pattern = read_pattern(tmp_path / "a.nxs")
    np.testing.assert_array_equal(pattern.array, image)
    assert pattern.calibration.pixel_per_nm == pytest.approx(0.4) and pattern.calibration.energy_kev == 200.0


def test_plain_arrays_count_by_their_numbers_and_axes(tmp_path, scan):
    with h5py.File(tmp_path / "a.h5", "w") as store:
        store["scan/data"] = scan
        store["image"] = scan[0, 0]
        store["axis"] = np.zeros(5)
        store["wave"] = np.zeros((40, 50), dtype=complex)
        store["name"] = "film"
        store["again"] = h5py.SoftLink("/image")
    with open_hdf5(tmp_path / "a.h5") as found:
        assert sorted(one.path for one in found) == ["image", "scan/data"]
        assert {axis for one in found for axis in one.axes} == {Axis()}
    assert read_pattern(tmp_path / "a.h5", dataset="image").calibration == Calibration()


def test_dimension_scales_tell_the_axes(tmp_path, scan):
    with h5py.File(tmp_path / "a.h5", "w") as store:
        store["film"] = np.moveaxis(scan, (2, 3), (0, 1))
        for number, (name, length) in enumerate({"ky": 32, "kx": 40, "y": 3, "x": 5}.items()):
            store[name] = 0.4 * np.arange(length)
            store[name].make_scale(name)
            store[name].attrs["units"] = "mrad" if name.startswith("k") else "nm"
            store["film"].dims[number].attach_scale(store[name])
    with open_scan(tmp_path / "a.h5") as found:
        assert found.scan_shape == (3, 5) and found.calibration.pixel_mrad == pytest.approx(0.4)
        np.testing.assert_array_equal(found.mean(2, 1, 1), scan[2, 1])


def test_labels_without_scales_tell_the_axes(tmp_path, scan):
    with h5py.File(tmp_path / "a.h5", "w") as store:
        store["film"] = np.moveaxis(scan, (2, 3), (0, 1))
        for number, name in enumerate(["qy", "qx", "ry", "rx"]):
            store["film"].dims[number].label = name
    with open_scan(tmp_path / "a.h5") as found:
        np.testing.assert_array_equal(found.mean(2, 1, 1), scan[2, 1])


def write_older_emd(file, data, names, units, folder="signals"):
    with h5py.File(file, "w") as store:
        store.attrs.update({"version_major": 0, "version_minor": 2})
        group = store.create_group(f"{folder}/film")
        group.attrs["emd_group_type"] = 1
        group["data"] = data
        for number, (name, unit, length) in enumerate(zip(names, units, data.shape, strict=True), 1):
            group[f"dim{number}"] = 0.4 * np.arange(length)
            group[f"dim{number}"].attrs.update({"name": name, "units": unit})
    return file


NM_AND_PER_NM = ["[n_m]", "[n_m]", "[n_m^-1]", "[n_m^-1]"]


@pytest.mark.parametrize(
    ("folder", "names", "units"),
    [
        ("signals", ["y", "x", "Qy", "Qx"], NM_AND_PER_NM),
        ("4DSTEM_experiment/data/datacubes", ["R_x", "R_y", "Q_x", "Q_y"], NM_AND_PER_NM),
        ("signals", ["scan row", "scan column", "row", "column"], NM_AND_PER_NM),
        ("signals", ["energy", "index", "c", "d"], NM_AND_PER_NM),
        ("signals", ["", "", "", ""], NM_AND_PER_NM),
        ("signals", ["", "", "", ""], [""] * 4),
    ],
)
def test_older_emd_files_of_other_programs_keep_their_rows(tmp_path, scan, folder, names, units):
    with open_scan(write_older_emd(tmp_path / "a.emd", scan, names, units, folder)) as found:
        assert found.scan_shape == (3, 5)
        assert found.calibration.pixel_per_nm == (pytest.approx(0.4) if units[0] else None)
        np.testing.assert_array_equal(found.mean(2, 1, 1), scan[2, 1])


def test_older_emd_frames_without_letters_are_not_turned(tmp_path, scan, image):
    file = write_older_emd(tmp_path / "one.emd", image, ["row", "column"], ["", ""])
    np.testing.assert_array_equal(read_pattern(file).array, image)
    file = write_older_emd(tmp_path / "series.emd", scan[0], ["frame", "row", "col"], [""] * 3)
    np.testing.assert_array_equal(read_pattern(file, frame=(4,)).array, scan[0, 4])


def test_berkeley_scan_of_hyperspy_without_names_keeps_its_order(tmp_path, as_signal, scan):
    from rsciio.emd import file_writer

    axes = [(None, 1.0, "nm", True)] * 2 + [(None, 0.4, "mrad", False)] * 2
    file_writer(str(tmp_path / "a.emd"), as_signal(scan, axes))
    with open_scan(tmp_path / "a.emd") as found:
        np.testing.assert_array_equal(found.mean(2, 1, 1), scan[2, 1])


def test_velox_image_under_a_berkeley_version_is_not_turned(write_velox, image):
    file = write_velox(image, 4e8)
    with h5py.File(file, "a") as store:
        store.attrs.update({"version_major": 0, "version_minor": 2})
    np.testing.assert_array_equal(read_pattern(file).array, image)


LONG = 2**40  # values that a file of a kilobyte declares


def test_a_version_that_is_no_text_is_not_read(tmp_path, image):
    with h5py.File(tmp_path / "a.h5", "w") as store:
        store["film"] = image
        store.create_dataset("Version", (LONG,), np.float64, chunks=(1000,))
    np.testing.assert_array_equal(read_pattern(tmp_path / "a.h5").array, image)


def test_a_long_dimension_scale_is_read_at_its_ends(tmp_path, image):
    with h5py.File(tmp_path / "a.h5", "w") as store:
        film = store.create_dataset("film", (LONG, 32, 40), np.uint16, chunks=(1, 32, 40))
        places = store.create_dataset("time", (LONG,), np.float64, chunks=(1000,))
        places[-1] = 0.5 * (LONG - 1)
        places.make_scale("time")
        places.attrs["units"] = "s"
        film.dims[0].attach_scale(places)
    with open_hdf5(tmp_path / "a.h5") as (found,):
        assert found.axes[0] == Axis("time", "s", 0.5)


def test_long_axes_of_emd_and_nexus_are_refused(tmp_path, layouts, scan):
    file = write_older_emd(tmp_path / "a.emd", scan[0], ["frame", "row", "col"], [""] * 3)
    with h5py.File(file, "a") as store:
        del store["signals/film/dim1"]
        store.create_dataset("signals/film/dim1", (LONG,), np.float64, chunks=(1000,))
    with pytest.raises(PatternError, match=rf"a\.emd, dim1: got a list of {LONG} values, accepted: at most 4194304"):
        read_pattern(file)
    layouts["write_nexus"](tmp_path / "a.nxs", scan, ("nm", "1/nm"))
    with h5py.File(tmp_path / "a.nxs", "a") as store:
        data = next(group for group in store["entry"].values() if group.attrs.get("NX_class") == "NXdata")
        name = data.attrs["axes"][0]
        del data[name]
        data.create_dataset(name, (LONG,), np.float64, chunks=(1000,))
    with pytest.raises(PatternError, match=rf"a\.nxs, {name}: got a list of {LONG} values"):
        read_pattern(tmp_path / "a.nxs")


def test_a_long_list_in_the_calibration_of_py4dstem_is_refused(layouts, tmp_path, scan):
    file = layouts["write_py4dstem"](tmp_path / "cube.h5", scan)
    with h5py.File(file, "a") as store:
        (root,) = (group for group in store.values() if "metadatabundle/calibration" in group)
        root["metadatabundle/calibration"].create_dataset("qx0", (LONG,), np.float64, chunks=(1000,))
    with pytest.raises(PatternError, match=rf"cube\.h5, qx0: got a list of {LONG} values"), open_scan(file):
        pass


def test_a_long_axis_of_hyperspy_is_refused(write_hspy, image):
    file = write_hspy(image, PLANE)
    with h5py.File(file, "a") as store:
        (group,) = store["Experiments"].values()
        group["axis-0"].create_dataset("axis", (LONG,), np.float64, chunks=(1000,))
    with pytest.raises(PatternError, match=rf"a\.hspy, axis: got a list of {LONG} values"):
        read_pattern(file)


def test_a_hyperspy_file_in_one_piece_is_read_unless_it_is_too_large(write_hspy, scan):
    raster = [("y", 1.0, "nm", True), ("x", 1.0, "nm", True)]
    file = write_hspy(scan, [*raster, *PLANE])
    with h5py.File(file, "a") as store:
        (group,) = store["Experiments"].values()
        del group["data"]
        group.create_dataset("data", data=scan, chunks=None)
    with open_scan(file) as found:
        assert found.scan_shape == (3, 5) and found.calibration.pixel_per_nm == pytest.approx(0.4)
        np.testing.assert_array_equal(found.mean(2, 1, 1), scan[2, 1])
    with h5py.File(file, "a") as store:
        (group,) = store["Experiments"].values()
        del group["data"]
        group.create_dataset("data", (2000, 2000, 256, 256), np.uint16, chunks=None)  # half a terabyte
    with pytest.raises(PatternError, match=r"in one piece, .*CHUNK=1x1x256x256"), open_scan(file):
        pass
