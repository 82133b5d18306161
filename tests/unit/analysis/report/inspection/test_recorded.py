"""What is said of a recording is what a prediction would use."""

from dataclasses import replace

import h5py
import numpy as np
import pytest
import zarr
from rsciio.hspy import file_writer

from pacbed.analysis.options import PredictOptions
from pacbed.analysis.recording.metadata import Calibration
from pacbed.analysis.recording.pattern_file import pattern_from_array
from pacbed.analysis.report.inspection import recorded
from pacbed.analysis.report.inspection.recorded import LOOKED_AT, look_at, recorded_lines
from pacbed.analysis.steps import prepare
from pacbed.errors import ParameterError, PatternError

MISSING = (
    "missing: semi-convergence angle (needed: --convergence-mrad), beam energy (the bundle's is assumed; "
    "--energy-kev), pixel size (found from the pattern; --pixel-mrad)"
)


def facts(lines):
    return dict(line.split(": ", 1) for line in lines)


def test_a_pattern_says_what_its_file_states(camera, tmp_path):
    image = camera()
    image[3, 5] = np.nan
    np.save(tmp_path / "film.npy", image)
    lines = recorded_lines(look_at(tmp_path / "film.npy"))
    assert lines[0].startswith("pattern film.npy: 150 x 160 pixels") and lines[0].endswith("1 defective")
    assert lines[1] == "the file states: no calibration"
    assert "bright region: centre (70." in lines[2] and lines[2].endswith("100 % of its rim in the frame")
    assert lines[3:] == [MISSING]


def test_it_is_what_a_prediction_prepares(tiny_bundle, camera, tmp_path):
    image = camera()
    image[80, 80] = 1e6
    np.save(tmp_path / "film.npy", image)
    look, ready = look_at(tmp_path / "film.npy"), prepare(tiny_bundle, tmp_path / "film.npy", PredictOptions(14.0))
    np.testing.assert_array_equal(look.array, ready.array)
    assert (look.defects, look.outline) == (ready.picture.defects, ready.outline)


def test_a_calibrated_file_is_quoted(camera, tmp_path):
    axis = {"scale": 0.4, "offset": 0.0, "units": "mrad", "navigate": False}
    image = camera()
    signal = {
        "data": image,
        "axes": [{**axis, "name": name, "size": size} for name, size in zip("yx", image.shape, strict=True)],
        "metadata": {"General": {"title": "film"}, "Acquisition_instrument": {"TEM": {"beam_energy": 200.0}}},
        "package_info": {"package": "", "package_version": ""},
        "attributes": {"_lazy": False},
        **{name: {} for name in ("original_metadata", "tmp_parameters", "learning_results", "models")},
    }
    file_writer(str(tmp_path / "film.hspy"), signal)
    lines = recorded_lines(look_at(tmp_path / "film.hspy"))
    assert lines[1] == "the file states: pixel 0.4 mrad, beam energy 200 kV"
    radius = look_at(tmp_path / "film.hspy").outline.radius_px
    assert f"radius {radius:.1f} pixels = {0.4 * radius:.2f} mrad" in lines[2]
    assert lines[3] == "missing: semi-convergence angle (needed: --convergence-mrad)"


@pytest.mark.parametrize(
    ("stated", "told", "missing"),
    [
        ({"pixel_per_nm": 0.1}, "pixel 0.1 1/nm", None),
        ({"pixel_per_nm": 0.1, "pixel_mrad": 0.2, "energy_kev": 300.0}, "pixel 0.2 mrad, beam energy 300 kV", None),
        ({"pixel_mrad": 0.4, "oblong": 1.031}, "pixel 0.4 mrad, oblong by 3.1 %", None),
        (
            {"trouble": "a number in the unit 'foot'", "energy_kev": 80.0},
            "no usable pixel: a number in the unit 'foot', beam energy 80 kV",
            "usable pixel size (needed: --pixel-mrad)",
        ),
    ],
)
def test_a_pixel_that_cannot_be_used_as_it_stands_is_told(camera, tmp_path, stated, told, missing):
    np.save(tmp_path / "film.npy", camera())
    look = look_at(tmp_path / "film.npy")
    stating = replace(look, pattern=replace(look.pattern, calibration=Calibration(**stated)))
    lines = recorded_lines(stating)
    assert lines[1] == f"the file states: {told}"
    assert lines[-1].endswith(missing) if missing else "pixel size" not in lines[-1]


def test_saturated_pixels_are_told(camera, tmp_path):
    image = camera()
    np.save(tmp_path / "film.npy", image.clip(0, 0.7 * image.max()).astype(np.uint16))
    told = facts(recorded_lines(look_at(tmp_path / "film.npy")))["saturated"]
    assert told.endswith(" % of the bright region")


def test_a_scan_is_looked_at_here_and_there(camera, tmp_path):
    pattern = camera().astype(np.uint16)
    with h5py.File(tmp_path / "scan.h5", "w") as store:
        data = store.create_dataset("exp/data", (30, 20, *pattern.shape), "u2", chunks=(1, 1, *pattern.shape))
        for row in range(30):
            data[row, 0] = data[row, 19] = pattern  # an edge; the rest of the scan is vacuum
        store["exp/again"] = data[:2, :2]
    with pytest.raises(PatternError, match=r"dataset: got none .*exp/again .*, exp/data"):
        look_at(tmp_path / "scan.h5")
    look = look_at(tmp_path / "scan.h5", dataset="exp/data")
    lines = recorded_lines(look)
    assert lines[0] == (
        "scan scan.h5: 20 x 30 positions of 150 x 160 pixels (axes: scan y, scan x, y, x), uint16, 0.0288 GB"
    )
    assert lines[1] == f"looked at: {LOOKED_AT**2} of 600 positions"
    np.testing.assert_allclose(look.array.max(), pattern.max() * 2 / LOOKED_AT, rtol=0.05)
    assert np.isfinite(look.scan.brightness).all()
    assert (look.scan.brightness[:, 0] > 0).all() and (look.scan.brightness[:, 3] == 0).all()


def test_a_series_is_looked_at_as_it_is_said_to_lie(camera, tmp_path):
    """Errors name these options, and so they are here as well."""
    np.save(tmp_path / "series.npy", np.stack([camera(seed=seed) for seed in range(6)]))
    assert any("pacbed map needs --scan-shape" in line for line in recorded_lines(look_at(tmp_path / "series.npy")))
    scan = look_at(tmp_path / "series.npy", scan_shape=(2, 3))
    assert scan.scan.shape == (2, 3) and not any("--scan-shape" in line for line in recorded_lines(scan))
    frame = look_at(tmp_path / "series.npy", frame=(4,))
    assert frame.scan is None
    np.testing.assert_array_equal(frame.pattern.array, camera(seed=4))
    np.save(tmp_path / "last.npy", np.stack([camera(seed=seed) for seed in range(2)], axis=-1))
    assert look_at(tmp_path / "last.npy", frame=(1,)).scan is None
    with pytest.raises(ParameterError, match="frame: got"):
        look_at(tmp_path / "series.npy", frame=(6,))


def test_damaged_positions_are_told(camera, tmp_path):
    pattern = camera()
    with h5py.File(tmp_path / "scan.h5", "w") as store:
        data = store.create_dataset("d", data=np.stack([pattern] * 4), chunks=(1, *pattern.shape), compression="gzip")
        at = data.id.get_chunk_info(2).byte_offset
    content = bytearray((tmp_path / "scan.h5").read_bytes())
    content[at : at + 64] = bytes(64)
    (tmp_path / "scan.h5").write_bytes(content)
    look = look_at(tmp_path / "scan.h5")
    assert np.isnan(look.scan.brightness).tolist() == [[False, False, True, False]]
    assert recorded_lines(look)[2].startswith(
        "not readable: 1 of those chosen (PatternError: file: scan.h5 cannot be read (OSError: "
    )
    content[64:] = bytes(len(content) - 64)
    (tmp_path / "scan.h5").write_bytes(content)
    with pytest.raises(PatternError):
        look_at(tmp_path / "scan.h5")


def test_single_electrons_that_repair_takes_away_are_no_pattern(tmp_path, monkeypatch):
    image = np.zeros((64, 64), np.uint16)
    image[::9, ::9] = 1
    np.save(tmp_path / "sparse.npy", image)
    examined = recorded.examine(pattern_from_array(image))
    nothing = replace(examined, array=np.zeros_like(examined.array), counts={"single pixels": 64})
    monkeypatch.setattr(recorded, "examine", lambda pattern: nothing)
    with pytest.raises(PatternError, match="no bright region after repair of 64 pixels"):
        look_at(tmp_path / "sparse.npy")


@pytest.mark.parametrize("shape", [(150, 160), (1, 1, 150, 160)])
def test_a_folder_may_hold_one_pattern(camera, tmp_path, shape):
    zarr.create_array(str(tmp_path / "film.zarr"), data=camera().reshape(shape))
    assert look_at(tmp_path / "film.zarr").scan is None


@pytest.mark.parametrize(
    ("value", "text"), [(0.0, "got the value 0 in every pixel"), (np.nan, r"got 100\.0 % of the pixels without")]
)
def test_of_a_scan_the_trouble_of_a_scan_is_told(tmp_path, value, text):
    np.save(tmp_path / "scan.npy", np.full((2, 3, 64, 64), value, np.float32))
    with pytest.raises(PatternError, match=text):
        look_at(tmp_path / "scan.npy")


def test_a_file_that_is_neither_says_what_a_pattern_would_need(tmp_path):
    np.save(tmp_path / "line.npy", np.arange(40.0))
    with pytest.raises(PatternError, match=r"accepted: one pattern with two axes"):
        look_at(tmp_path / "line.npy")
