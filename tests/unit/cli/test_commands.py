import csv
import json
import os
import subprocess
import sys
import zipfile

import h5py
import imageio.v3 as iio
import numpy as np
import pytest
import tifffile

from pacbed.analysis.maps.stored import read_map
from pacbed.analysis.predict import predict
from pacbed.analysis.result import read_result
from pacbed.cli import run
from pacbed.patterns import Geometry


@pytest.fixture(scope="module")
def folder(tiny_bundle, tmp_path_factory):
    """Two good patterns, noise, and a file that is no pattern."""
    folder = tmp_path_factory.mktemp("patterns")
    rng = np.random.default_rng(0)
    for name, thickness in (("thin", 5.0), ("thick", 9.0)):
        image = tiny_bundle.renderer.render(
            thickness_nm=thickness, convergence_mrad=14.0, mistilt_mrad=(1.5, 1.0), blur_mrad=0.4,
            geometry=Geometry((128, 128), 0.45, (61.0, 66.0), 15.0),
        )  # fmt: skip
        tifffile.imwrite(folder / f"{name}.tif", rng.poisson(image * 3e7).clip(0, 65000).astype(np.uint16))
    tifffile.imwrite(folder / "noise.tif", rng.poisson(100, (128, 128)).astype(np.uint16))
    (folder / "broken.tif").write_bytes(b"II*\0nothing")
    predict(tiny_bundle, folder / "thick.tif", convergence_mrad=14)  # compiles what is not, which a command would say
    return folder


@pytest.fixture
def pacbed(capsys):
    """Run a command; returns status, standard output and standard error."""

    def call(*arguments):
        status = run([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return call


def test_predict_prints_a_line_and_writes_result_and_sheet(pacbed, tiny_bundle_file, folder, tmp_path):
    status, out, err = pacbed(
        "predict", tiny_bundle_file, folder / "thick.tif", "--convergence-mrad", 14, "--out", tmp_path
    )
    assert (status, err) == (0, "")
    assert out.startswith("thick.tif: ")
    assert len(out.splitlines()) == 1
    written = {file.name for file in tmp_path.iterdir()}
    assert written == {"thick.json", "thick.pdf", "thick.png", "thick_match.tif"}
    result = read_result(tmp_path / "thick.json")
    assert result.thickness_nm.value == pytest.approx(9.0, abs=0.2)
    assert f"{result.thickness_nm.value:.1f} ±" in out


def test_a_mask_takes_a_beam_stop_out(pacbed, tiny_bundle_file, folder, tmp_path):
    image = tifffile.imread(folder / "thick.tif")
    stop = np.zeros(image.shape, dtype=np.uint8)
    stop[:60, 56:64] = 255
    noise = np.random.default_rng(2).normal(30, 3, image.shape)
    tifffile.imwrite(tmp_path / "stop.tif", np.where(stop > 0, noise, image).astype(np.uint16))
    tifffile.imwrite(tmp_path / "mask.tif", stop)
    call = ("predict", tiny_bundle_file, tmp_path / "stop.tif", "--convergence-mrad", 14, "--out", tmp_path / "out")
    status, out, _ = pacbed(*call, "--mask", tmp_path / "mask.tif")
    assert status == 0
    assert ", ok: pixels left out: masked 480" in out
    result = read_result(tmp_path / "out" / "stop.json")
    assert result.thickness_nm.value == pytest.approx(9.0, abs=0.3)
    assert result.provenance.parameters["given"]["mask"] == "mask.tif"
    assert ", ok" not in pacbed(*call)[1]
    tifffile.imwrite(tmp_path / "small.tif", stop[:64])
    status, out, err = pacbed(*call, "--mask", tmp_path / "small.tif")
    assert (status, out) == (2, "")
    assert "mask: got 'small.tif of shape (64, 128)', accepted: the shape of the pattern, (128, 128)" in err


def test_json_is_one_line_per_pattern(pacbed, tiny_bundle_file, folder, tmp_path):
    status, out, _ = pacbed(
        "predict", tiny_bundle_file, folder / "thin.tif", "--convergence-mrad", 14, "--json", "--out", tmp_path
    )
    assert status == 0
    assert json.loads(out)["thickness_nm"]["value"] == pytest.approx(5.0, abs=0.3)


def test_several_patterns_go_on_after_a_bad_one_and_the_worst_counts(pacbed, tiny_bundle_file, folder, tmp_path):
    files = [folder / f"{name}.tif" for name in ("thin", "broken", "noise", "thick")]
    status, out, err = pacbed("predict", tiny_bundle_file, *files, "--convergence-mrad", 14, "--out", tmp_path)
    assert status == 2
    assert [line.split(":")[0] for line in out.splitlines()] == ["thin.tif", "noise.tif", "thick.tif"]
    assert err.startswith("error: broken.tif:")
    assert len(err.splitlines()) == 1
    with (tmp_path / "predictions.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["verdict"] for row in rows][1:3] == ["bad input", "refused"]
    assert float(rows[3]["thickness_nm"]) == pytest.approx(9.0, abs=0.2)


def test_predict_exports_what_is_not_refused_and_names_the_file(pacbed, tiny_bundle_file, folder, tmp_path):
    call = "predict", tiny_bundle_file, folder / "thick.tif", "--convergence-mrad", 14, "--out", tmp_path, "--no-refine"
    status, out, err = pacbed(*call, "--export", "ptyrad", "--slice-nm", 3)
    assert (status, err) == (0, "")
    assert out.splitlines()[1].startswith("thick.tif: thick_ptyrad.yaml for PtyRAD: ")
    _, out, err = pacbed(*call, "--export", "ptyrad", "--json")
    assert [json.loads(line)["system"] for line in out.splitlines()] == ["tiny"]
    assert err.startswith("thick.tif: thick_ptyrad_2.yaml for PtyRAD: ")
    status, out, err = pacbed(*call, "--export", "phaser", "--energy-kev", 300)
    assert (status, err) == (1, "")
    assert out.splitlines()[1] == "thick.tif: nothing exported to phaser: the result is refused"
    assert {file.name for file in tmp_path.glob("*.yaml")} == {"thick_ptyrad.yaml", "thick_ptyrad_2.yaml"}


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (["--export", "abtem"], "export: got 'abtem', accepted: ptyrad or phaser"),
        (["--export", "phaser", "--slice-nm", "0"], "slice_nm: got 0.0, accepted: a number from 0.1 to 20 [nm]"),
        (["--slice-nm", "2"], "slice_nm: got 2.0, accepted: this option with --export only"),
    ],
)
def test_a_bad_export_is_one_line_before_any_work(pacbed, tiny_bundle_file, folder, tmp_path, options, text):
    call = "predict", tiny_bundle_file, folder / "thick.tif", "--convergence-mrad", 14, "--out", tmp_path
    assert pacbed(*call, *options) == (2, "", f"error: {text}\n")
    assert list(tmp_path.iterdir()) == []


def test_a_refusal_has_status_one(pacbed, tiny_bundle_file, folder, tmp_path):
    arguments = ("--convergence-mrad", 14, "--energy-kev", 300, "--out", tmp_path, "--no-refine")
    status, out, err = pacbed("predict", tiny_bundle_file, folder / "thin.tif", *arguments)
    assert (status, err) == (1, "")
    assert "refused: beam energy" in out


def test_patterns_of_the_same_name_do_not_overwrite_each_other(pacbed, tiny_bundle_file, folder, tmp_path):
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thin.tif").write_bytes((folder / "thick.tif").read_bytes())
    files = (folder / "thin.tif", tmp_path / "other" / "thin.tif")
    arguments = ("--convergence-mrad", 14, "--no-refine", "--out", tmp_path / "out")
    status, out, _ = pacbed("predict", tiny_bundle_file, *files, *arguments)
    assert status == 0
    for folder_name, line in zip((folder.name, "other"), out.splitlines(), strict=True):
        name = f"{folder_name}_thin.tif"
        assert line.endswith(f"(result: {name}.json)")
        assert {f"{name}.json", f"{name}.png"} <= {file.name for file in (tmp_path / "out").iterdir()}


def test_a_sheet_never_replaces_its_pattern(pacbed, tiny_bundle_file, folder, tmp_path):
    picture = tmp_path / "thin.png"
    iio.imwrite(picture, tifffile.imread(folder / "thin.tif"))
    before = picture.read_bytes()
    arguments = ("--convergence-mrad", 14, "--no-refine", "--out", tmp_path)
    status, out, err = pacbed("predict", tiny_bundle_file, picture, *arguments)
    assert (status, err) == (0, "")
    assert "(result: thin.png.json)" in out and (tmp_path / "thin.png.png").is_file()
    assert picture.read_bytes() == before


def test_a_best_match_never_replaces_another_pattern_of_the_call(pacbed, tiny_bundle_file, folder, tmp_path):
    for name in ("a.tif", "a_match.tif"):
        (tmp_path / name).write_bytes((folder / "thin.tif").read_bytes())
    before = (tmp_path / "a_match.tif").read_bytes()
    patterns = tmp_path / "a.tif", tmp_path / "a_match.tif"
    status, out, _ = pacbed("predict", tiny_bundle_file, *patterns, "--convergence-mrad", 14, "--out", tmp_path)
    assert status == 0 and "(result: a.tif.json)" in out.splitlines()[0]
    assert (tmp_path / "a_match.tif").read_bytes() == before
    assert (tmp_path / "a.tif_match.tif").exists() and (tmp_path / "a_match_match.tif").exists()


def test_a_refinement_starts_where_it_is_told_to_and_says_so(pacbed, tiny_bundle_file, folder, tmp_path):
    options = "--convergence-mrad", 14, "--out", tmp_path, "--refine-from", 8.5, "--refine-from", 9.5
    status, out, _ = pacbed("predict", tiny_bundle_file, folder / "thick.tif", *options)
    assert status == 0
    assert "refined from 8.5, 9.5 nm only, as asked" in out
    assert read_result(tmp_path / "thick.json").provenance.parameters["refine_from_nm"] == [8.5, 9.5]


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (["--zero-loss", "100,5"], "vacuum: got None"),
        (["--zero-loss", "thick"], "accepted: a number"),
        (["--exposure-ratio", "0"], "exposure_ratio: got 0.0"),
        (["--vacuum", "nowhere.tif"], "nowhere.tif"),
        (["--refine-from", "4000"], "refine_from: got 4000.0"),
    ],
)
def test_bad_knowledge_of_the_beam_is_one_line(pacbed, tiny_bundle_file, folder, tmp_path, options, text):
    pattern = folder / "thick.tif"
    status, _, err = pacbed("predict", tiny_bundle_file, pattern, "--convergence-mrad", 14, "--out", tmp_path, *options)
    assert status == 2
    assert text in err and len(err.strip().splitlines()) == 1


@pytest.mark.parametrize(("option", "given"), [("--mirrored", True), ("--not-mirrored", False)])
def test_a_hand_that_is_given_is_taken(pacbed, tiny_bundle_file, folder, tmp_path, option, given):
    pattern = folder / "thick.tif"
    pacbed("predict", tiny_bundle_file, pattern, "--convergence-mrad", 14, "--out", tmp_path, "--no-refine", option)
    result = read_result(tmp_path / "thick.json")
    assert (result.mirrored, result.hand) == (given, None)


@pytest.mark.parametrize("suffix", ["npy", "tif", "png"])
def test_render_writes_every_format(pacbed, tiny_bundle_file, tiny_bundle, tmp_path, suffix):
    file = tmp_path / f"image.{suffix}"
    numbers = ("--thickness-nm", 6, "--convergence-mrad", 14, "--mistilt-mrad", 1, "--azimuth-deg", 90, "--pixels", 48)
    status, out, err = pacbed("render", tiny_bundle_file, *numbers, "--max-angle-mrad", 20, "--out", file)
    assert (status, err) == (0, "")
    assert "48 x 48" in out
    image = np.load(file) if suffix == "npy" else iio.imread(file)
    direct = tiny_bundle.renderer.render(
        thickness_nm=6.0, convergence_mrad=14.0, mistilt_mrad=(0.0, 1.0), geometry=Geometry.field_of_view(48, 20.0)
    )
    if suffix == "png":
        assert image.dtype == np.uint16
        image = image * (direct.max() / 65535)
    np.testing.assert_allclose(image, direct, atol=2e-5 * direct.max())


def test_inspect_describes_bundle_stack_and_pattern(pacbed, tiny_bundle_file, parts, folder):
    status, out, _ = pacbed("inspect", tiny_bundle_file, "--verify")
    assert status == 0
    assert "SrTiO3 [0 0 1], 200 kV" in out
    assert "all verified" in out
    assert "thickness 1 to 10 nm" in out
    status, out, _ = pacbed("inspect", parts["stack_dir"], "--verify")
    assert status == 0
    assert "thickness_nm 1 to 10 (10)" in out
    status, out, _ = pacbed("inspect", folder / "thin.tif")
    assert status == 0
    assert "128 x 128 pixels" in out
    assert "no calibration" in out


def test_inspect_describes_and_draws_one_scan_of_several(pacbed, folder, tmp_path):
    image = tifffile.imread(folder / "thin.tif")
    with h5py.File(tmp_path / "two.h5", "w") as store:
        store["first"], store["second"] = np.stack([image] * 2), np.stack([image] * 3)
    assert pacbed("inspect", tmp_path / "two.h5")[0] == 2
    picture = tmp_path / "look.png"
    status, out, err = pacbed("inspect", tmp_path / "two.h5", "--dataset", "second", "--out", picture)
    assert (status, err) == (0, "")
    assert out.startswith("scan two.h5: 3 x 1 positions of 128 x 128 pixels")
    assert "missing: semi-convergence angle (needed: --convergence-mrad)" in out
    assert out.endswith(f"picture: {picture}\n") and picture.is_file()
    status, _, err = pacbed("inspect", tmp_path / "two.h5", "--dataset", "second", "--out", picture)
    assert status == 2 and "this one exists" in err


def test_inspect_takes_what_its_own_errors_ask_for(pacbed, folder, tmp_path):
    pattern = tifffile.imread(folder / "thin.tif")
    np.save(tmp_path / "last.npy", np.stack([pattern, pattern], axis=-1))
    status, _, err = pacbed("inspect", tmp_path / "last.npy")
    assert status == 2 and "--scan-shape" in err and "--frame" in err
    assert pacbed("inspect", tmp_path / "last.npy", "--frame", "1")[0] == 0
    status, out, _ = pacbed("inspect", tmp_path / "last.npy", "--scan-shape", "1,2")
    assert status == 0 and "scan last.npy" in out


def test_inspect_verify_finds_damage(pacbed, tiny_bundle_file, tmp_path):
    data = bytearray(tiny_bundle_file.read_bytes())
    with zipfile.ZipFile(tiny_bundle_file) as archive:
        data[archive.getinfo("thickness.onnx").header_offset + 200] ^= 0xFF
    (tmp_path / "bad.pacbed").write_bytes(data)
    status, _, err = pacbed("inspect", tmp_path / "bad.pacbed", "--verify")
    assert status == 2
    assert "thickness.onnx" in err


PREDICT = "predict {bundle} {folder}/thin.tif"
RENDER = "render {bundle} --convergence-mrad 14 --out a.png"
BAD = [
    ("predict", "BUNDLE"),
    ("predict {bundle}", "PATTERN"),
    (f"{PREDICT} --colour blue", "--colour"),
    (f"{PREDICT} --convergence-mrad wide", "--convergence-mrad': got 'wide', accepted: a number"),
    (PREDICT, "convergence_mrad: got None, accepted: a number from"),
    (f"{PREDICT} --convergence-mrad 90", "convergence_mrad: got 90"),
    ("predict gone.pacbed x.tif", "gone.pacbed"),
    ("predict {folder}/thin.tif x.tif", "thin.tif"),
    (RENDER, "--thickness-nm"),
    (f"{RENDER} --thickness-nm 500", "thickness_nm: got 500"),
    (f"{RENDER} --thickness-nm nan", "thickness_nm: got nan"),
    (f"{RENDER} --thickness-nm 5 --out a.jpg", "a.jpg"),
    (f"{RENDER} --thickness-nm 5 --pixels 1.5", "whole number"),
    (f"{RENDER} --thickness-nm 5 --out /dev/null/a.png", "/dev/null"),
    ("inspect gone", "gone"),
    ("inspect {folder}", "bundle.json or stack.zarr"),
    ("inspect {folder}/broken.tif", "broken.tif"),
    ("measure", "measure"),
]


@pytest.mark.parametrize(("arguments", "text"), BAD)
def test_bad_input_is_one_line_that_names_it(pacbed, tiny_bundle_file, folder, tmp_path, monkeypatch, arguments, text):
    monkeypatch.chdir(tmp_path)
    filled = arguments.format(bundle=tiny_bundle_file, folder=folder).split()
    status, out, err = pacbed(*filled)
    assert (status, out) == (2, "")
    assert err.startswith("error: ")
    assert len(err.splitlines()) == 1
    assert text in err


def test_the_installed_command_keeps_its_word():
    """Through the shell: status, and nothing but one line on standard error."""
    done = subprocess.run([sys.executable, "-m", "pacbed.cli", "inspect", "gone"], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "error: path: got 'gone', accepted: a bundle, a stack, a pattern or a CIF file that exists\n"
    helped = subprocess.run([sys.executable, "-m", "pacbed.cli"], capture_output=True, text=True)
    assert helped.returncode == 0
    assert all(name in helped.stdout for name in ("predict", "render", "inspect"))


def test_map_writes_a_picture_and_arrays(pacbed, tiny_bundle_file, tiny_bundle, tmp_path):
    image = tiny_bundle.renderer.render(
        thickness_nm=8.0, convergence_mrad=14.0, mistilt_mrad=(1.0, 0.5), blur_mrad=0.4,
        geometry=Geometry((64, 64), 0.7, (31.0, 32.0), 15.0),
    )  # fmt: skip
    scan = np.tile((1e6 * image).astype(np.float32), (2, 4, 1, 1))
    scan[:, 2:] = 7
    np.save(tmp_path / "film.npy", scan)
    (tmp_path / "maps" / "film").mkdir(parents=True)
    (tmp_path / "maps" / "film" / "notes.txt").write_text("mine")
    arguments = ("--convergence-mrad", 14, "--window", 2, "--not-mirrored", "--out", tmp_path / "maps")
    status, out, err = pacbed("map", tiny_bundle_file, tmp_path / "film.npy", *arguments)
    assert (status, err) == (0, "")
    assert '"mirrored": false' in (tmp_path / "maps" / "film.npy" / "map.json").read_text()
    assert str(tmp_path / "maps" / "film.npy.png") in out
    assert out.splitlines()[1:] == [
        "2 windows: 1 ok, 1 unusable",
        "  1 x got the value … in every pixel, accepted: a pattern",
    ]
    assert read_map(tmp_path / "maps" / "film.npy").thickness_nm[0, 0] == pytest.approx(8.0, abs=0.3)
    assert (tmp_path / "maps" / "film" / "notes.txt").read_text() == "mine"


def test_a_map_is_kept_and_its_windows_have_sheets(pacbed, tiny_bundle_file, folder, tmp_path):
    """A second run makes what is asked beside it, and a new map only with --overwrite."""
    image = tifffile.imread(folder / "thick.tif")
    np.save(tmp_path / "film.npy", np.stack([image, image // 2]).reshape(1, 2, *image.shape))
    given = ("--convergence-mrad", 14, "--out", tmp_path / "maps", "--scan-step-nm", 0.5)
    assert pacbed("map", tiny_bundle_file, tmp_path / "film.npy", *given)[0] == 0
    made = (tmp_path / "maps" / "film" / "map.json").stat().st_mtime_ns
    status, out, err = pacbed("map", tiny_bundle_file, tmp_path / "film.npy", *given)
    assert (status, out) == (2, "") and "--overwrite" in err
    more = ("--tiff", "--sheet", "0,1")
    status, out, err = pacbed("map", tiny_bundle_file, tmp_path / "film.npy", *given, *more)
    assert (status, err) == (0, "")
    assert (tmp_path / "maps" / "film_sheets" / "row_0_column_1.png").is_file()
    with tifffile.TiffFile(tmp_path / "maps" / "film_tiff" / "thickness_nm.tif") as file:
        assert file.asarray().shape == (1, 2) and file.imagej_metadata["unit"] == "nm"
    assert (tmp_path / "maps" / "film" / "map.json").stat().st_mtime_ns == made
    assert pacbed("map", tiny_bundle_file, tmp_path / "film.npy", *given, "--overwrite")[0] == 0
    assert (tmp_path / "maps" / "film" / "map.json").stat().st_mtime_ns > made


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (["--sheet", "0,2"], "sheet: got '0,2', accepted: row and column of a window, from 0,0 to 0,1"),
        (["--sheet", "one"], "sheet: got 'one', accepted: row and column of a window such as 3,4, from 0"),
        (["--window", "3"], "window: got 3, accepted: a whole number of scan positions from 1 to 2"),
        (["--window", "all"], "got 'all', accepted: a whole number"),
        (["--vacuum-region", "0:1"], "vacuum_region: got '0:1', accepted: rows and columns of the scan such as"),
        (["--vacuum-region", "0:2,0:1"], "vacuum_region: got '0:2,0:1', accepted: a part of the scan's 1 rows"),
    ],
)
def test_what_a_map_cannot_be_told_is_named(pacbed, tiny_bundle_file, folder, tmp_path, options, text):
    image = tifffile.imread(folder / "thick.tif")
    np.save(tmp_path / "film.npy", np.stack([image, image // 2]).reshape(1, 2, *image.shape))
    given = ("--convergence-mrad", 14, "--out", tmp_path / "maps")
    status, _, err = pacbed("map", tiny_bundle_file, tmp_path / "film.npy", *given, *options)
    assert (status, len(err.splitlines())) == (2, 1)
    assert text in err


def test_a_map_of_holes_is_a_refusal(pacbed, tiny_bundle_file, tmp_path):
    np.save(tmp_path / "dark.npy", np.zeros((2, 2, 64, 64), np.uint16))
    arguments = ("--convergence-mrad", 14, "--out", tmp_path / "maps")
    status, out, _ = pacbed("map", tiny_bundle_file, tmp_path / "dark.npy", *arguments)
    assert status == 1
    assert "4 windows: 4 unusable" in out


def test_networks_alone_are_refused_in_one_line_where_there_are_none(pacbed, bare_bundle, folder, tmp_path):
    arguments = ("--convergence-mrad", 14, "--out", tmp_path, "--no-refine")
    status, out, err = pacbed("predict", bare_bundle.path, folder / "thin.tif", folder / "thick.tif", *arguments)
    assert (status, out) == (2, "")
    assert len(err.splitlines()) == 1 and "no networks in this bundle" in err


def test_a_command_holds_the_threads_of_blas_to_one():
    code = (
        "import os, sys; sys.argv = ['pacbed', '--help']\n"
        "from pacbed.cli import main\n"
        "try: main()\n"
        "except SystemExit: print({name: os.environ.get(name) for name in ('OMP_NUM_THREADS', 'MKL_NUM_THREADS')})\n"
        "assert 'numpy' not in sys.modules\n"
    )
    environment = {name: value for name, value in os.environ.items() if not name.endswith("_NUM_THREADS")}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment | {"OMP_NUM_THREADS": "2"}
    )
    assert "{'OMP_NUM_THREADS': '2', 'MKL_NUM_THREADS': '1'}" in done.stdout, done.stderr
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def scanned(folder):
    """The pattern `thick.tif` at four positions of a scan, as a series."""
    image = tifffile.imread(folder / "thick.tif")
    np.save(folder / "scan.npy", np.stack([image // 4, image // 2, image, image // 3]))
    return folder / "scan.npy"


def test_a_scan_given_to_predict_and_a_pattern_given_to_map_name_the_other_command(
    pacbed, tiny_bundle_file, folder, scanned, tmp_path
):
    given = ("--convergence-mrad", 14, "--out", tmp_path)
    status, out, err = pacbed("predict", tiny_bundle_file, scanned, *given)
    assert (status, out, len(err.splitlines())) == (2, "", 1)
    assert "4 patterns" in err and "pacbed map" in err
    status, out, err = pacbed("map", tiny_bundle_file, folder / "thick.tif", *given)
    assert (status, out, len(err.splitlines())) == (2, "", 1)
    assert "one pattern" in err and "pacbed predict" in err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("options", [["--frame", "2"], ["--frame", "1,0", "--scan-shape", "2x2"]])
def test_one_pattern_of_a_scan_is_predicted(pacbed, tiny_bundle_file, scanned, tmp_path, options):
    given = ("--convergence-mrad", 14, "--json", "--out", tmp_path)
    status, out, err = pacbed("predict", tiny_bundle_file, scanned, *options, *given)
    assert (status, err) == (0, "")
    assert json.loads(out)["thickness_nm"]["value"] == pytest.approx(9.0, abs=0.2)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (["--frame", "4"], "frame: got '4', accepted: whole numbers from 0 to 3"),
        (["--frame", "-1"], "got '-1', accepted: a whole number from 0, or row and column such as 3,4"),
        (["--scan-shape", "2"], "got '2', accepted: rows and columns such as 128,256"),
    ],
)
def test_frames_and_shapes_that_cannot_be_are_named(pacbed, tiny_bundle_file, scanned, options, text):
    status, out, err = pacbed("predict", tiny_bundle_file, scanned, "--convergence-mrad", 14, *options)
    assert (status, out, len(err.splitlines())) == (2, "", 1)
    assert text in err


def test_map_takes_the_shape_of_a_series(pacbed, tiny_bundle_file, scanned, tmp_path):
    shape = ("--scan-shape", "2,2", "--window", 2)
    status, _, err = pacbed("map", tiny_bundle_file, scanned, "--convergence-mrad", 14, *shape, "--out", tmp_path)
    assert (status, err) == (0, "")
    assert json.loads((tmp_path / "scan" / "map.json").read_text())["scan_shape"] == [2, 2]


def test_advise_names_the_best_angle_first_and_draws(pacbed, tiny_bundle_file, tmp_path, monkeypatch):
    monkeypatch.setattr("pacbed.evaluation.advice.question.THICKNESSES", 2)
    call = "advise", tiny_bundle_file, "--electrons", "1e5", "--thickness-nm", "5-9", "--mistilt-mrad", 1
    status, out, err = pacbed(*call, "--out", tmp_path / "advice.png")
    assert (status, err) == (0, "")
    lines = out.splitlines()
    assert lines[0].startswith("Best convergence angle for 5 to 9 nm: 1") and lines[-1].startswith("drawn: ")
    assert iio.imread(tmp_path / "advice.png").shape[1] > 1000
    status, out, _ = pacbed(*call, "--json")
    read = json.loads(out)
    assert read["sentence"] == lines[0] and read["thickness_nm"] == [5.0, 9.0]


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (["--electrons", "0"], "electrons: got 0.0, accepted: a number above 0"),
        (["--electrons", "many"], "accepted: a number"),
        (["--thickness-nm", "5"], "thickness_nm: got '5', accepted: two numbers such as 20-60 [nm]"),
        (["--thickness-nm", "5-900"], "thickness_nm: got (5.0, 900.0), accepted: A-B with 3 <= A < B <= 10 [nm]"),
        (["--mistilt-mrad", "50"], "mistilt_mrad: got 50.0, accepted: 0 to "),
        (["--out", "a.jpg"], "out: got 'a.jpg', accepted: a file name that ends in"),
    ],
)
def test_advise_refuses_in_one_line(pacbed, tiny_bundle_file, options, text):
    status, out, err = pacbed("advise", tiny_bundle_file, *options)
    assert (status, out) == (2, "")
    assert text in err and len(err.strip().splitlines()) == 1
