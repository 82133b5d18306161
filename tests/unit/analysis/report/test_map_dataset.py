import json

import numpy as np
import pytest

from pacbed.analysis.maps.answer import VERDICTS
from pacbed.analysis.maps.stored import ARRAYS, read_facts, read_map
from pacbed.analysis.options import PredictOptions
from pacbed.analysis.report.map_dataset import map_dataset, summary_lines
from pacbed.analysis.report.map_plan import MapSettings
from pacbed.errors import ParameterError, PatternError
from pacbed.patterns import Geometry

GEOMETRY = Geometry((64, 64), 0.7, (31.0, 32.5), rotation_deg=20.0)
# Thickness [nm] and mistilt [mrad, crystal frame] of the good windows: a wedge, bent.
TRUTH = ((4.1, (1.5, 0.8)), (5.6, (1.0, 1.3)), (7.1, (0.3, 1.7)), (8.6, (-0.4, 2.0)))
DEAD = len(TRUTH)  # column of the window without a pattern
ALPHA = 13.8


@pytest.fixture(scope="module")
def scan_file(tiny_bundle, tmp_path_factory):
    """2 x 10 scan positions: a wedge of four thicknesses and a dead region, each 2 x 2 positions."""
    rng = np.random.default_rng(8)
    data = np.zeros((2, 2 * len(TRUTH) + 2, 64, 64), dtype=np.float32)
    for number, (thickness, mistilt) in enumerate(TRUTH):
        clean = tiny_bundle.renderer.render(
            thickness_nm=thickness, convergence_mrad=ALPHA, mistilt_mrad=mistilt, geometry=GEOMETRY, blur_mrad=0.3
        )
        noise = rng.standard_normal((2, 2, 64, 64))
        data[:, 2 * number : 2 * number + 2] = 1000 * (clean / clean.max() + 0.02 * noise)
    file = tmp_path_factory.mktemp("scan") / "scan.npy"
    np.save(file, data)
    return file


@pytest.fixture(scope="module")
def mapped(tiny_bundle, scan_file, tmp_path_factory):
    folder = tmp_path_factory.mktemp("maps")
    found = map_dataset(
        tiny_bundle, scan_file, PredictOptions(convergence_mrad=ALPHA), MapSettings(window=2, jobs=2),
        out_dir=folder / "film", out_png=folder / "film.png",
    )  # fmt: skip
    return found, folder


def test_every_window_finds_its_own_thickness(mapped):
    found, _ = mapped
    assert found.thickness_nm.shape == (1, DEAD + 1)
    for column, (thickness, _) in enumerate(TRUTH):
        assert found.thickness_nm[0, column] == pytest.approx(thickness, abs=0.4)
        assert 0 < found.thickness_std_nm[0, column] < 1


def test_the_map_of_a_wedge_is_the_wedge(mapped):
    """Its slope, by a straight line through the map: 1.5 nm per window."""
    found, _ = mapped
    slope, offset = np.polyfit(np.arange(DEAD), found.thickness_nm[0, :DEAD], 1)
    assert slope == pytest.approx(1.5, abs=0.1)
    assert offset == pytest.approx(4.1, abs=0.25)
    assert np.all(np.diff(found.thickness_nm[0, :DEAD]) > 0)


def test_mistilt_is_in_the_frame_of_the_patterns(mapped):
    found, _ = mapped
    for column, (_, mistilt) in enumerate(TRUTH):
        expected = GEOMETRY.to_image(np.array(mistilt))
        assert found.mistilt_x_mrad[0, column] == pytest.approx(expected[0], abs=0.3)
        assert found.mistilt_y_mrad[0, column] == pytest.approx(expected[1], abs=0.3)


def test_dead_window_is_a_hole_and_not_a_failure(mapped):
    found, folder = mapped
    assert VERDICTS[found.verdict[0, DEAD]] == "unusable"
    assert np.isnan([getattr(found, name)[0, DEAD] for name in ARRAYS if name != "verdict"]).all()
    facts = json.loads((folder / "film" / "map.json").read_text(encoding="utf-8"))
    assert facts["counts"]["unusable"] == 1 and sum(facts["counts"].values()) == DEAD + 1
    assert facts["reasons_of_holes"] == {"got the value … in every pixel, accepted: a pattern": 1}
    assert summary_lines(folder / "film") == [
        f"{DEAD + 1} windows: " + ", ".join(f"{n} {name}" for name, n in facts["counts"].items() if n),
        "  1 x got the value … in every pixel, accepted: a pattern",
    ]


def test_written_maps_are_read_back_with_their_picture(mapped):
    found, folder = mapped
    again = read_map(folder / "film")
    for name in ARRAYS:
        np.testing.assert_allclose(getattr(again, name), getattr(found, name), rtol=1e-6)
    facts = json.loads((folder / "film" / "map.json").read_text(encoding="utf-8"))
    assert (facts["scan_shape"], facts["shape"], facts["window"]) == ([2, 10], [1, 5], 2)
    assert facts["parameters"]["convergence_mrad"] == ALPHA
    assert (folder / "film.png").read_bytes().startswith(b"\x89PNG")
    assert not list(folder.glob("*.part*"))


def test_a_mask_holds_for_every_window(tiny_bundle, scan_file, tmp_path):
    data, mask = np.load(scan_file)[:, :4], np.zeros((64, 64))
    mask[:34, 28:34] = 1
    data[..., mask > 0] = np.random.default_rng(1).normal(0, 5, (2, 4, 204))
    np.save(tmp_path / "stop.npy", data)
    np.save(tmp_path / "mask.npy", mask)
    found = map_dataset(
        tiny_bundle, tmp_path / "stop.npy", PredictOptions(convergence_mrad=ALPHA, mask=tmp_path / "mask.npy"),
        MapSettings(window=2), out_dir=tmp_path / "m", out_png=tmp_path / "m.png",
    )  # fmt: skip
    assert found.thickness_nm[0] == pytest.approx([TRUTH[0][0], TRUTH[1][0]], abs=0.5)
    facts = json.loads((tmp_path / "m" / "map.json").read_text(encoding="utf-8"))
    assert facts["parameters"]["mask"] == "mask.npy"
    assert facts["reasons"]["pixels left out: masked …"] == 2


def test_map_of_holes_alone_has_a_picture(tiny_bundle, tmp_path):
    np.save(tmp_path / "empty.npy", np.zeros((2, 32, 32)))
    found = map_dataset(
        tiny_bundle, tmp_path / "empty.npy", PredictOptions(convergence_mrad=14.0, scan_shape=(1, 2)),
        out_dir=tmp_path / "m", out_png=tmp_path / "m.png",
    )  # fmt: skip
    assert (found.verdict == VERDICTS.index("unusable")).all()
    assert (tmp_path / "m.png").is_file()


def test_a_scan_without_positions_is_refused(tiny_bundle, tmp_path):
    np.save(tmp_path / "none.npy", np.zeros((0, 3, 32, 32)))
    with pytest.raises(PatternError, match=r"none\.npy is empty \(0 x 3 x 32 x 32 values\)"):
        map_dataset(
            tiny_bundle, tmp_path / "none.npy", PredictOptions(14.0), out_dir=tmp_path / "m", out_png=tmp_path / "m.png"
        )
    assert [path.name for path in tmp_path.iterdir()] == ["none.npy"]


@pytest.mark.parametrize(
    ("options", "more", "named"),
    [
        (PredictOptions(convergence_mrad=ALPHA), {"jobs": 0}, "jobs"),
        (PredictOptions(convergence_mrad=ALPHA), {"window": 0}, "window"),
        (PredictOptions(convergence_mrad=ALPHA), {"window": 11}, "window: got 11, accepted: a whole number of scan"),
        (PredictOptions(convergence_mrad=ALPHA), {"window": "cell"}, "scan_step_nm"),
        (PredictOptions(convergence_mrad=ALPHA), {"scan_step_nm": -1.0}, "scan_step_nm"),
        (PredictOptions(convergence_mrad=ALPHA, energy_kev=300.0), {}, "energy_kev: got 300.0, accepted: the bundle's"),
        (PredictOptions(), {}, "convergence_mrad"),
        (PredictOptions(convergence_mrad=ALPHA, mask=np.eye(32)), {}, "mask"),
    ],
)
def test_bad_options_stop_at_once_and_write_nothing(tiny_bundle, scan_file, tmp_path, options, more, named):
    with pytest.raises(ParameterError, match=named):
        map_dataset(
            tiny_bundle, scan_file, options, MapSettings(**more), out_dir=tmp_path / "m", out_png=tmp_path / "m.png"
        )
    assert not list(tmp_path.iterdir())


def test_what_the_caller_says_is_written_down(tiny_bundle, tmp_path):
    np.save(tmp_path / "empty.npy", np.zeros((2, 32, 32)))
    options = PredictOptions(convergence_mrad=14.0, pixel_mrad=0.7, mirrored=True, refine=False, scan_shape=(1, 2))
    map_dataset(tiny_bundle, tmp_path / "empty.npy", options, out_dir=tmp_path / "m", out_png=tmp_path / "m.png")
    facts = json.loads((tmp_path / "m" / "map.json").read_text(encoding="utf-8"))
    assert facts["parameters"] == {
        "convergence_mrad": 14.0, "energy_kev": None, "pixel_mrad": 0.7, "mirrored": True, "refine": False
    }  # fmt: skip
    assert facts["bundle_sha256"] == tiny_bundle.sha256


def test_a_map_says_how_evenly_its_windows_average(tiny_bundle, scan_file, tmp_path, caplog):
    settings = MapSettings(window=2, scan_step_nm=0.02)
    map_dataset(
        tiny_bundle, scan_file, PredictOptions(convergence_mrad=ALPHA), settings, out_dir=tmp_path / "m",
        out_png=tmp_path / "m.png",
    )  # fmt: skip
    facts = read_facts(tmp_path / "m")
    assert facts["uniformity"]["worst"] > 0.5 and facts["scan_step_nm"] == 0.02
    assert "averages unevenly over the cell" in caplog.text


def test_nothing_is_left_of_a_finished_map(mapped):
    _, folder = mapped
    assert {path.name for path in folder.iterdir()} == {"film", "film.png"}


def test_a_series_is_asked_for_its_shape(tiny_bundle, tmp_path):
    """Thousands of patterns in one line are no map that anybody wants; a line is, if it is called one."""
    np.save(tmp_path / "series.npy", np.zeros((6, 32, 32)))
    options = PredictOptions(convergence_mrad=14.0)
    with pytest.raises(ParameterError, match=r"scan_shape: got None, accepted: rows and columns of its 6.*1,6"):
        map_dataset(tiny_bundle, tmp_path / "series.npy", options, out_dir=tmp_path / "m", out_png=tmp_path / "m.png")
