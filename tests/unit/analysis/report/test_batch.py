import csv
from pathlib import Path

import numpy as np
import pytest
import tifffile

from pacbed.analysis.options import PredictOptions
from pacbed.analysis.report import batch as module
from pacbed.analysis.report.batch import BAD, DONE, REFUSED, Outcome, predict_files, with_error
from pacbed.analysis.report.predictions_table import COLUMNS
from pacbed.analysis.result import estimate, read_result
from pacbed.errors import ParameterError

FILM = Path("scan/film.tif")


@pytest.fixture
def changed(analysis):
    """Function that makes the outcome of a result with other fields."""
    return lambda **fields: Outcome(FILM, analysis.result.model_copy(update=fields))


def test_a_line_says_what_was_found(changed):
    line = changed(
        thickness_nm=estimate(30.84, 0.63), mistilt_mrad=estimate(2.0, 0.05), mistilt_azimuth_deg=estimate(95.2, 1.0),
        verdict="doubtful", reasons=["one", "two"],
    ).line()  # fmt: skip
    assert line == "film.tif: 30.8 ± 0.6 nm, mistilt 2.00 ± 0.05 mrad towards 95°, doubtful: one; two"


def test_a_line_leaves_out_what_is_not_known(changed):
    unknown = changed(thickness_nm=None, mistilt_mrad=None, mistilt_azimuth_deg=None, verdict="refused", reasons=[])
    assert unknown.line() == "film.tif: refused"
    undirected = changed(thickness_nm=None, mistilt_mrad=estimate(0.1, 0.2), mistilt_azimuth_deg=None, reasons=[])
    assert undirected.line() == "film.tif: mistilt 0.1 ± 0.2 mrad, ok"
    assert Outcome(FILM, error="is no pattern").line() == "film.tif: is no pattern"


def test_the_status_is_that_of_the_verdict(changed):
    assert [changed(verdict=verdict).status for verdict in ("ok", "doubtful", "refused")] == [DONE, DONE, REFUSED]
    assert Outcome(FILM, error="is no pattern").status == BAD


def test_a_row_has_a_cell_for_every_column(changed):
    row = changed(thickness_nm=estimate(30.84, 0.63), misfit=None).row()
    assert tuple(row) == COLUMNS
    assert (row["pattern"], row["thickness_nm"], row["thickness_std_nm"]) == (str(FILM), "30.84", "0.63")
    assert row["misfit"] == ""
    bad = Outcome(FILM, error="is no pattern").row()
    assert (bad["verdict"], bad["reasons"], bad["thickness_nm"]) == ("bad input", "is no pattern", "")


@pytest.mark.parametrize(
    ("value", "std", "text"), [(30.84, 0.63, "30.8 ± 0.6"), (30.84, 0.063, "30.84 ± 0.06"), (30.84, None, "30.84")]
)
def test_decimals_follow_the_error(value, std, text):
    assert with_error(estimate(value, std)) == text


def test_a_line_tells_a_name_that_one_would_not_expect(changed):
    outcome = changed(thickness_nm=None, mistilt_mrad=None, mistilt_azimuth_deg=None, verdict="refused", reasons=[])
    assert Outcome(FILM, outcome.result, name="film").line() == "film.tif: refused"
    assert Outcome(FILM, outcome.result, name="film.tif").line() == "film.tif: refused (result: film.tif.json)"


@pytest.fixture(scope="module")
def batch(tiny_bundle, camera, tmp_path_factory):
    """A good pattern, a file that is none, and noise; predicted by the networks alone."""
    folder = tmp_path_factory.mktemp("batch")
    np.save(folder / "good.npy", camera())
    (folder / "broken.npy").write_bytes(b"nothing")
    np.save(folder / "cut.npy", camera()[:, 40:])
    told = []
    files = [folder / f"{name}.npy" for name in ("good", "broken", "cut")]
    options = PredictOptions(convergence_mrad=14.0, refine=False)
    status = predict_files(tiny_bundle, files, options, out_dir=folder / "out", tell=told.append)
    return folder / "out", told, status


def test_a_bad_pattern_does_not_stop_the_others(batch):
    out, told, status = batch
    assert status == BAD
    assert [outcome.result is None for outcome in told] == [False, True, False]
    written = {f"{name}{end}" for name in ("cut", "good") for end in (".json", ".pdf", ".png", "_match.tif")}
    assert {path.name for path in out.iterdir()} == written | {"predictions.csv"}
    assert read_result(out / "good.json") == told[0].result


def test_the_table_holds_every_pattern(batch):
    out, told, _ = batch
    with (out / "predictions.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [Path(row["pattern"]).name for row in rows] == ["good.npy", "broken.npy", "cut.npy"]
    assert float(rows[0]["thickness_nm"]) == pytest.approx(told[0].result.thickness_nm.value, rel=1e-5)
    assert "broken.npy" in rows[1]["reasons"] and rows[1]["verdict"] == "bad input"


def test_one_pattern_needs_no_table_and_none_are_done(tiny_bundle, camera, tmp_path):
    np.save(tmp_path / "good.npy", camera())
    options = PredictOptions(convergence_mrad=14.0, refine=False)
    told = []
    status = predict_files(tiny_bundle, [tmp_path / "good.npy"], options, out_dir=tmp_path / "out", tell=told.append)
    assert status == told[0].status
    assert not (tmp_path / "out" / "predictions.csv").exists()
    assert predict_files(tiny_bundle, [], options, out_dir=tmp_path / "none", tell=told.append) == DONE


def test_networks_alone_are_refused_once_where_there_are_none(bare_bundle, tmp_path):
    told = []
    with pytest.raises(ParameterError, match="no networks in this bundle"):
        predict_files(
            bare_bundle, [FILM, FILM], PredictOptions(14.0, refine=False), out_dir=tmp_path / "out", tell=told.append
        )
    assert told == [] and not (tmp_path / "out").exists()


NAMES = ("a.tif", "a.npy", "a_2.tif")


def test_alike_names_have_results_of_their_own(tiny_bundle, camera, tmp_path):
    """One called for again keeps its name; a picture of the user's stays as it is."""
    out, told = tmp_path / "out", []
    for number, name in enumerate(NAMES):
        image = camera(thickness_nm=6.0 + number, seed=number)
        np.save(tmp_path / name, image) if name.endswith("npy") else tifffile.imwrite(tmp_path / name, image)
    out.mkdir()
    (out / "a_2.png").write_bytes(b"mine")
    options = PredictOptions(convergence_mrad=14.0, refine=False)
    for names in (NAMES, NAMES[1:2]):
        predict_files(tiny_bundle, [tmp_path / name for name in names], options, out_dir=out, tell=told.append)
    assert (out / "a_2.png").read_bytes() == b"mine"
    assert sorted(path.name for path in out.glob("*.json")) == [f"{name}.json" for name in sorted(NAMES)]
    for name in NAMES:
        assert read_result(out / f"{name}.json").provenance.input == name
    with (out / "predictions.csv").open(encoding="utf-8", newline="") as file:
        rows = {Path(row["pattern"]).name: row["result"] for row in csv.DictReader(file)}
    assert rows == {name: f"{name}.json" for name in NAMES}


def test_patterns_of_one_file_have_results_of_their_own(tiny_bundle, camera, tmp_path):
    """Asked for one after the other, as nobody has them all at once."""
    np.save(tmp_path / "scan.npy", np.stack([camera(seed=seed) for seed in (1, 2)]))
    for frame in (0, 1):
        options = PredictOptions(convergence_mrad=14.0, refine=False, frame=(frame,))
        predict_files(
            tiny_bundle, [tmp_path / "scan.npy"] * 2, options, out_dir=tmp_path / "out", tell=lambda outcome: None
        )
    found = [read_result(tmp_path / "out" / f"scan_frame_{frame}.json") for frame in (0, 1)]
    assert [one.provenance.parameters["part"] for one in found] == ["frame 0", "frame 1"]
    table = (tmp_path / "out" / "predictions.csv").read_text()
    assert "scan.npy, frame 0" in table and "scan.npy, frame 1" in table


def test_a_pattern_on_which_the_analysis_breaks_does_not_stop_the_others(tiny_bundle, tmp_path, monkeypatch):
    def breaks(*_, **__):
        raise np.linalg.LinAlgError("Singular\nmatrix")

    monkeypatch.setattr(module, "predict_pattern", breaks)
    told = []
    status = predict_files(tiny_bundle, [FILM, Path("b.tif")], PredictOptions(14.0), out_dir=tmp_path, tell=told.append)
    assert status == BAD and len(told) == 2
    assert told[0].line() == "film.tif: pattern: scan/film.tif cannot be analysed (LinAlgError: Singular matrix)"


def test_names_that_cannot_be_opened_do_not_stop_the_others(tiny_bundle, camera, tmp_path):
    """Links in a circle, a name that no file has, and one that is too long once its results' ends stand behind it."""
    loop, good, long = tmp_path / "loop.tif", tmp_path / "good.npy", tmp_path / f"{'x' * 249}.npy"
    loop.symlink_to("loop.tif")
    for file in (good, long):
        np.save(file, camera())
    told = []
    files, options = [loop, tmp_path / ("x" * 300), long, good], PredictOptions(convergence_mrad=14.0, refine=False)
    assert predict_files(tiny_bundle, files, options, out_dir=tmp_path / "out", tell=told.append) == BAD
    assert [outcome.result is None for outcome in told] == [True, True, True, False]
    assert "a file that exists" in told[0].error and "File name too long" in told[1].error
    assert told[2].error.endswith("accepted: one that leaves room for endings")


def test_a_table_of_the_users_is_not_lost(tiny_bundle, tmp_path):
    (tmp_path / "predictions.csv").write_text("my,own\n1,2\n")
    with pytest.raises(ParameterError, match=r"predictions\.csv is a table of predictions"):
        predict_files(tiny_bundle, [FILM], PredictOptions(14.0), out_dir=tmp_path, tell=print)
    assert (tmp_path / "predictions.csv").read_text() == "my,own\n1,2\n"
