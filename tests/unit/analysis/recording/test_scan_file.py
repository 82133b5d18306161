import warnings

import h5py
import numpy as np
import pytest
import zarr

from pacbed.analysis.recording.scan_file import ScanData, open_scan
from pacbed.errors import ParameterError, PatternError

DATA = np.random.default_rng(1).integers(0, 4000, (3, 5, 32, 40)).astype(np.uint16)


def save_npy(folder):
    np.save(folder / "scan.npy", DATA)
    return folder / "scan.npy"


def save_hdf5(folder):
    with h5py.File(folder / "scan.h5", "w") as store:
        store["4DSTEM/data"] = DATA
        store["4DSTEM/dark"] = DATA[0, 0]
    return folder / "scan.h5"


def save_zarr(folder):
    zarr.create_array(str(folder / "scan.zarr"), data=DATA, chunks=(1, 5, 32, 40))
    return folder / "scan.zarr"


def save_zarr_group(folder):
    zarr.open_group(str(folder / "group.zarr"), mode="w").create_array("pattern", data=DATA)
    return folder / "group.zarr"


def save_hspy(folder):
    from rsciio.hspy import file_writer

    axes = [
        {"name": name, "size": size, "scale": scale, "offset": 0.0, "units": units, "navigate": navigate}
        for name, size, scale, units, navigate in [
            ("y", 3, 1.0, "nm", True), ("x", 5, 1.0, "nm", True), ("ky", 32, 0.4, "mrad", False),
            ("kx", 40, 0.4, "mrad", False),
        ]
    ]  # fmt: skip
    signal = {
        "data": DATA,
        "axes": axes,
        "metadata": {"General": {"title": "scan"}, "Acquisition_instrument": {"TEM": {"beam_energy": 200.0}}},
        "package_info": {"package": "hyperspy", "package_version": "2"},
        "attributes": {"_lazy": False},
        **{name: {} for name in ("original_metadata", "tmp_parameters", "learning_results", "models")},
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        file_writer(str(folder / "scan.hspy"), signal)
    return folder / "scan.hspy"


@pytest.mark.parametrize("save", [save_npy, save_hdf5, save_zarr, save_zarr_group, save_hspy])
def test_formats_give_the_mean_of_a_window(tmp_path, save):
    with open_scan(save(tmp_path)) as scan:
        assert scan.scan_shape == (3, 5)
        assert scan.windows(2) == (2, 3)
        inner, rim = scan.mean(0, 1, 2), scan.mean(1, 2, 2)
    np.testing.assert_allclose(inner, DATA[0:2, 2:4].mean(axis=(0, 1)), rtol=1e-6)
    np.testing.assert_array_equal(rim, DATA[2, 4], "the window at the corner holds one position")


def test_microscope_file_states_its_calibration(tmp_path):
    with open_scan(save_hspy(tmp_path)) as scan:
        assert scan.calibration.pixel_mrad == pytest.approx(0.4)
        assert scan.calibration.energy_kev == pytest.approx(200)


def test_only_the_window_is_read(tmp_path):
    """A data set of half a terabyte, of which one chunk was written."""
    with h5py.File(tmp_path / "large.h5", "w") as store:
        data = store.create_dataset("data", (2000, 2000, 256, 256), dtype=np.uint16, chunks=(1, 1, 256, 256))
        data[1000, 500] = 7
    with open_scan(tmp_path / "large.h5") as scan:
        assert scan.scan_shape == (2000, 2000)
        np.testing.assert_array_equal(scan.mean(500, 250, 2), np.full((256, 256), 7 / 4))


def test_the_file_is_closed_at_the_end(tmp_path):
    file = save_hdf5(tmp_path)
    with open_scan(file) as scan:
        values = scan.values
    assert not values
    with h5py.File(file, "a") as store:
        assert "4DSTEM/data" in store


def test_axes_of_one_element_do_not_count(tmp_path):
    np.save(tmp_path / "scan.npy", DATA[None])
    with open_scan(tmp_path / "scan.npy") as scan:
        assert scan.scan_shape == (3, 5)
        np.testing.assert_array_equal(scan.mean(1, 3, 1), DATA[1, 3])


@pytest.mark.parametrize("order", [(2, 3, 0, 1), (0, 1, 2, 3), (3, 2, 1, 0), (0, 2, 1, 3)])
def test_axes_are_told_by_their_units(write_hspy, order):
    axes = [("y", 1.0, "nm", True), ("x", 1.0, "nm", True), ("ky", 0.4, "mrad", False), ("kx", 0.4, "mrad", False)]
    with open_scan(write_hspy(DATA.transpose(order), [axes[axis] for axis in order])) as scan:
        assert scan.scan_shape == (3, 5) and scan.calibration.pixel_mrad == 0.4
        np.testing.assert_array_equal(scan.mean(1, 2, 1), DATA[1, 2])
        np.testing.assert_allclose(scan.mean(0, 1, 2), DATA[0:2, 2:4].mean(axis=(0, 1)), rtol=1e-6)


@pytest.mark.parametrize("scan_shape", [None, (3, 5)])
def test_columns_stored_first_are_columns_by_their_names(write_hspy, scan_shape):
    axes = [("x", 2.0, "nm", True), ("y", 2.0, "nm", True), ("kx", 0.4, "mrad", False), ("ky", 0.4, "mrad", False)]
    with open_scan(write_hspy(DATA.transpose(1, 0, 3, 2), axes), scan_shape=scan_shape) as scan:
        assert scan.scan_shape == (3, 5) and scan.pattern_shape == (32, 40) and scan.step_nm == 2.0
        np.testing.assert_array_equal(scan.mean(1, 2, 1), DATA[1, 2])
    with open_scan(write_hspy(DATA[0].swapaxes(1, 2), [axes[0], axes[2], axes[3]], name="line.hspy")) as line:
        np.testing.assert_array_equal(line.mean(0, 3, 1), DATA[0, 3])


def test_rows_of_py4dstem_are_called_x(write_hspy):
    axes = [("Rx", 1.0, "nm", True), ("Ry", 1.0, "nm", True), ("Q_x", 0.4, "mrad", False), ("Q_y", 0.4, "mrad", False)]
    with open_scan(write_hspy(DATA, axes)) as scan:
        np.testing.assert_array_equal(scan.mean(1, 2, 1), DATA[1, 2])


@pytest.mark.parametrize("window", [1, 2, 4])
def test_a_series_is_cut_into_the_lines_of_a_scan(tmp_path, window):
    np.save(tmp_path / "series.npy", DATA.reshape(15, 32, 40))
    with open_scan(tmp_path / "series.npy", scan_shape=(3, 5)) as scan, open_scan(save_npy(tmp_path)) as whole:
        assert scan.scan_shape == whole.scan_shape == (3, 5)
        for row, column in np.ndindex(scan.windows(window)):
            np.testing.assert_allclose(scan.mean(row, column, window), whole.mean(row, column, window), rtol=1e-6)


@pytest.mark.parametrize("shape", [(5, 5), (2, 7), (1, 16)])
def test_a_scan_shape_that_does_not_fit_is_refused(tmp_path, shape):
    np.save(tmp_path / "series.npy", DATA.reshape(15, 32, 40))
    with (
        pytest.raises(ParameterError, match=r"scan_shape: got .*, accepted: rows and columns of 15 positions"),
        open_scan(tmp_path / "series.npy", scan_shape=shape),
    ):
        pass


def test_pixels_that_the_detector_calls_bad_have_no_value():
    bad = np.zeros((32, 40), dtype=bool)
    bad[3, 4] = True
    pattern = ScanData(DATA, "film", bad=bad).mean(0, 0, 2)
    assert np.isnan(pattern[3, 4]) and np.isfinite(pattern).sum() == 32 * 40 - 1


def test_line_scan_has_one_row(tmp_path):
    np.save(tmp_path / "line.npy", DATA[0])
    with open_scan(tmp_path / "line.npy") as scan:
        assert scan.scan_shape == (1, 5) and scan.windows(2) == (1, 3)
        np.testing.assert_allclose(scan.mean(0, 1, 2), DATA[0, 2:4].mean(axis=0), rtol=1e-6)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (DATA[0, 0], "holds one pattern .* pacbed predict takes one pattern"),
        (DATA[:, :, :16], "at least 32 pixels"),
        (np.stack([DATA, DATA]), "got an array of shape"),
        (DATA.astype(complex), "real numbers"),
        (None, "a file that exists"),
    ],
)
def test_what_is_no_scan_is_refused(tmp_path, content, reason):
    if content is not None:
        np.save(tmp_path / "scan.npy", content)
    with pytest.raises(PatternError, match=reason), open_scan(tmp_path / "scan.npy"):
        pass


def test_several_data_sets_need_a_choice(tmp_path):
    with h5py.File(tmp_path / "two.h5", "w") as store:
        store["first"], store["second"] = DATA, DATA[:2]
    with pytest.raises(PatternError, match=r"first \(3 x 5 x 32 x 40\), second"), open_scan(tmp_path / "two.h5"):
        pass
    with open_scan(tmp_path / "two.h5", dataset="second") as scan:
        assert scan.scan_shape == (2, 5)


def test_damaged_file_is_one_line(tmp_path):
    (tmp_path / "scan.h5").write_bytes(b"nothing of the kind")
    with pytest.raises(PatternError, match="nobody reads"), open_scan(tmp_path / "scan.h5"):
        pass
    (tmp_path / "scan.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    with pytest.raises(PatternError, match="cannot be read"), open_scan(tmp_path / "scan.png"):
        pass


def test_a_damaged_part_is_one_line_and_the_rest_is_read(tmp_path):
    with h5py.File(tmp_path / "scan.h5", "w") as store:
        data = store.create_dataset("data", data=DATA, chunks=(1, 1, 32, 40), compression="gzip")
        start = data.id.get_chunk_info(7).byte_offset
    content = bytearray((tmp_path / "scan.h5").read_bytes())
    content[start : start + 50] = bytes(50)
    (tmp_path / "scan.h5").write_bytes(content)
    with open_scan(tmp_path / "scan.h5") as scan:
        np.testing.assert_array_equal(scan.mean(0, 4, 1), DATA[0, 4])
        with pytest.raises(PatternError, match=r"scan\.h5 cannot be read \(OSError"):
            scan.mean(1, 2, 1)


def test_a_scan_of_no_positions_is_refused():
    with pytest.raises(PatternError, match="got an array of shape"):
        ScanData(DATA[:0], "film")


def test_window_is_at_least_one_position(tmp_path):
    with open_scan(save_npy(tmp_path)) as scan, pytest.raises(ParameterError, match="window"):
        scan.windows(0)


def test_errors_of_the_caller_are_not_taken_for_a_bad_file(tmp_path):
    with pytest.raises(ZeroDivisionError), open_scan(save_npy(tmp_path)):
        1 / 0  # noqa: B018
