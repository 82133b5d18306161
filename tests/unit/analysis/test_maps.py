import json

import numpy as np
import pytest

from pacbed.analysis.maps import ARRAYS, SCHEMA_VERSION, VERDICTS, gather, predict_windows, read_map, write_map
from pacbed.analysis.options import PredictOptions
from pacbed.analysis.recording.scan_file import ScanData
from pacbed.analysis.result import estimate
from pacbed.errors import FormatError, ParameterError

FACTS = {"schema_version": SCHEMA_VERSION}


@pytest.fixture
def found(analysis):
    """A map of 2 x 3 windows: two thicknesses, one without a direction, one refused, one without a pattern."""
    result = analysis.result
    thin, thick = (result.model_copy(update={"thickness_nm": estimate(value, 0.1)}) for value in (4.0, 9.0))
    undirected = result.model_copy(update={"mistilt_x_mrad": None, "mistilt_y_mrad": None, "misfit": None})
    refused = result.model_copy(update={"verdict": "refused"})
    return gather([thin, thick, undirected, refused, None, thin], (2, 3))


def test_windows_lie_row_by_row(found):
    assert found.thickness_nm[0, :2].tolist() == [4.0, 9.0]
    assert found.thickness_nm[1, 2] == 4.0
    assert found.thickness_std_nm[0, 0] == 0.1
    assert [VERDICTS[code] for code in found.verdict.ravel()] == ["ok", "ok", "ok", "refused", "unusable", "ok"]
    assert found.verdict.dtype == np.uint8


def test_what_is_not_known_is_not_a_number(found):
    assert np.isnan(found.mistilt_x_mrad[0, 2]) and np.isnan(found.misfit[0, 2])
    assert np.isfinite(found.thickness_nm[0, 2])
    assert np.isnan([getattr(found, name)[1, 1] for name in ARRAYS if name != "verdict"]).all()


def test_a_map_survives_its_folder(found, tmp_path):
    write_map(found, FACTS, tmp_path / "deep" / "map")
    again = read_map(tmp_path / "deep" / "map")
    for name in ARRAYS:
        np.testing.assert_array_equal(getattr(again, name), getattr(found, name))
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["map"]


def test_damaged_and_newer_maps_are_refused(found, tmp_path):
    with pytest.raises(FormatError, match="damaged or incomplete"):
        read_map(tmp_path)
    write_map(found, FACTS, tmp_path / "map")
    (tmp_path / "map" / "misfit.npy").write_bytes(b"nothing")
    with pytest.raises(FormatError, match="damaged or incomplete"):
        read_map(tmp_path / "map")
    (tmp_path / "map" / "map.json").write_text(json.dumps({"schema_version": 2}))
    with pytest.raises(FormatError, match=r"got schema_version 2.*update pacbed"):
        read_map(tmp_path / "map")


@pytest.fixture(scope="module")
def scan(camera):
    """2 x 3 positions: one pattern everywhere, but a dead one at the end of the second row."""
    pattern = camera()
    values = np.broadcast_to(pattern, (2, 3, *pattern.shape)).copy()
    values[1, 2] = 0.0
    return ScanData(values, "film.npy")


def test_reasons_can_be_counted(tiny_bundle, scan):
    """The figures that differ from window to window are left out of the reasons."""
    options = PredictOptions(convergence_mrad=14.0, energy_kev=300.0, refine=False)
    *good, dead = predict_windows(tiny_bundle, scan, options, window=1, jobs=2)
    assert len(good) == 5
    assert {one.result.verdict for one in good} == {"refused"}
    assert all("beam energy: the pattern was recorded at" in one.reasons for one in good)
    assert dead.result is None
    assert "accepted: a pattern" in dead.reasons[0]


def test_pixels_saturated_in_single_frames_are_left_out(tiny_bundle, camera):
    """Their mean shows no ceiling."""
    frames = np.stack([camera(seed=seed, electrons=2e6) for seed in range(4)]).astype(np.uint16)
    top = np.uint16(np.percentile(frames, 97))
    scan = ScanData(np.minimum(frames, top).reshape(2, 2, *frames.shape[1:]), "film.npy")
    (one,) = predict_windows(tiny_bundle, scan, PredictOptions(convergence_mrad=14.0), window=2, jobs=1)
    assert any(reason.startswith("saturated") for reason in one.reasons)
    assert one.result.thickness_nm.value == pytest.approx(8.0, abs=0.3)


def test_jobs_do_not_change_what_is_found(tiny_bundle, scan):
    options = PredictOptions(convergence_mrad=14.0, refine=False)
    one, many = (
        [window.result for window in predict_windows(tiny_bundle, scan, options, window=1, jobs=jobs)]
        for jobs in (1, 3)
    )
    assert one == many


def test_an_unusable_option_stops_at_the_first_window(tiny_bundle, scan):
    with pytest.raises(ParameterError, match="convergence_mrad"):
        next(predict_windows(tiny_bundle, scan, PredictOptions(), window=1, jobs=1))


class Damaged:
    """A scan whose third position cannot be read, as a broken chunk or a lost disk."""

    def __init__(self, values, error):
        self.values, self.error = values, error
        self.shape, self.dtype = values.shape, values.dtype

    def __getitem__(self, key):
        if key[:2] == (slice(0, 1), slice(2, 3)):
            raise self.error
        return self.values[key]


@pytest.mark.parametrize("error", [OSError("chunk 17\nis damaged"), RuntimeError("blosc"), MemoryError(), KeyError(2)])
def test_a_window_that_cannot_be_read_is_a_hole(tiny_bundle, scan, error):
    options = PredictOptions(convergence_mrad=14.0, refine=False)
    damaged = ScanData(Damaged(scan.values[:1], error), "film.npy")
    *good, bad = predict_windows(tiny_bundle, damaged, options, window=1, jobs=1)
    assert all(one.result is not None for one in good)
    assert bad.result is None
    named = "does not fit into memory" if isinstance(error, MemoryError) else f"({type(error).__name__}"
    assert named in bad.reasons[0]
    assert "\n" not in bad.reasons[0] and "17" not in bad.reasons[0]


def singles():
    """Sixty single electrons."""
    pattern = np.zeros((64, 64), np.uint16)
    pattern.ravel()[np.random.default_rng(1).choice(4096, 60, replace=False)] = 1
    return pattern


ODD = {
    "single electrons": singles(),
    "not numbers": np.full((64, 64), np.nan, np.float32),
    "infinite": np.where(np.eye(64) > 0, np.inf, 1.0),
    "huge": np.random.default_rng(2).random((64, 64)) * 1e300,
    "tiny": np.random.default_rng(2).random((64, 64)) * 1e-300,
    "negative": -np.random.default_rng(3).random((64, 64)),
    "one pixel": np.eye(64) * (np.arange(64) == 30),
    "a step": np.repeat([0.0, 1.0], 2048).reshape(64, 64),
    "a ramp": np.add.outer(np.arange(64.0), np.arange(64.0)),
    "all but constant": 1.0 + 1e-7 * np.eye(64),
}


def test_odd_windows_do_not_stop_the_map(tiny_bundle):
    """And none of them is believed."""
    scan = ScanData(np.stack([image.astype(np.float64) for image in ODD.values()]), "film.npy")
    windows = predict_windows(tiny_bundle, scan, PredictOptions(convergence_mrad=14.0), window=1, jobs=1)
    verdicts = {
        kind: "hole" if one.result is None else one.result.verdict for kind, one in zip(ODD, windows, strict=True)
    }
    assert "ok" not in verdicts.values(), verdicts
    assert verdicts["not numbers"] == "hole"
