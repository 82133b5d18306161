"""What is said of a recording is what a prediction would use."""

from dataclasses import replace

import h5py
import numpy as np
import pytest
from rsciio.hspy import file_writer

from pacbed.analysis.options import PredictOptions
from pacbed.analysis.recording.pattern_file import pattern_from_array
from pacbed.analysis.report.inspection import recorded
from pacbed.analysis.report.inspection.recorded import LOOKED_AT, look_at, recorded_lines
from pacbed.analysis.steps import prepare
from pacbed.errors import PatternError

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


def test_a_file_that_is_neither_says_what_a_pattern_would_need(tmp_path):
    np.save(tmp_path / "line.npy", np.arange(40.0))
    with pytest.raises(PatternError, match=r"accepted: one pattern with two axes"):
        look_at(tmp_path / "line.npy")
