import shutil
import zipfile

import pytest

from pacbed.analysis.report.inspection.describe import describe
from pacbed.bundle.pretrained.slim import slim_bundle
from pacbed.errors import FormatError


def test_a_bundle_says_what_it_is_for(tiny_bundle_file):
    text = "\n".join(describe(tiny_bundle_file))
    for fact in (
        "tiny.pacbed: tiny, SrTiO3 [0 0 1], 200 kV",
        "thickness 1 to 10 nm, convergence 13 to 15 mrad, mistilt 0 to 3 mrad",
        "22.5 mrad half width, rotations modulo 90°",
        "thickness 10 classes",
        "schema_version 4",
    ):
        assert fact in text
    assert "verified" not in text
    *_, last, repeated = describe(tiny_bundle_file, verify=True)
    assert last.endswith(", all verified")
    assert repeated.startswith("2 patterns of its evaluation, answered again: networks within 0.000 nm")


def test_a_bundle_without_its_table_says_where_that_comes_from(tiny_bundle_file, tmp_path, monkeypatch):
    monkeypatch.setenv("PACBED_CACHE", str(tmp_path / "cache"))
    slim_bundle(tiny_bundle_file, tmp_path / "thin.pacbed")
    (line,) = (line for line in describe(tmp_path / "thin.pacbed") if line.startswith("levels: "))
    assert "made when the bundle is first used" in line and " MB" not in line
    (whole,) = (line for line in describe(tiny_bundle_file) if line.startswith("levels: "))
    assert " MB; patterns agree with the table in full precision" in whole


def test_a_folder_of_the_same_content_is_the_same_bundle(tiny_bundle_file, tmp_path):
    with zipfile.ZipFile(tiny_bundle_file) as archive:
        archive.extractall(tmp_path / "open")
    (_, *unpacked), (_, *packed) = describe(tmp_path / "open"), describe(tiny_bundle_file)
    assert unpacked == packed


def test_a_damaged_bundle_is_found_when_every_byte_is_checked(tiny_bundle_file, tmp_path):
    with zipfile.ZipFile(tiny_bundle_file) as archive:
        archive.extractall(tmp_path / "open")
    file = tmp_path / "open" / "models" / "scale.onnx"
    if not file.is_file():
        file = next((tmp_path / "open").rglob("scale.onnx"))
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1  # a weight: what is no network any more is not even opened
    file.write_bytes(content)
    assert describe(tmp_path / "open")
    with pytest.raises(FormatError, match=r"scale\.onnx"):
        describe(tmp_path / "open", verify=True)


def test_a_stack_says_what_it_holds(parts):
    lines = describe(parts["stack_dir"], verify=True)
    assert "SrTiO3 [0 0 1], 200 kV" in lines[0]
    assert "patterns of 32 x 32 pixels" in lines[1]
    assert "convergence_mrad 13 to 15 (2)" in lines[1] and "thickness_nm 1 to 10 (10)" in lines[1]
    assert "series held out" in lines[2]
    assert lines[3].endswith(", all chunks verified")
    assert describe(parts["stack_dir"] / "stack.zarr")[1:3] == lines[1:3]


def test_a_damaged_stack_is_refused(parts, tmp_path):
    folder = shutil.copytree(parts["stack_dir"], tmp_path / "stack")
    chunk = max((folder / "stack.zarr" / "pattern").rglob("*"), key=lambda path: path.stat().st_size)
    chunk.write_bytes(chunk.read_bytes()[: chunk.stat().st_size // 2])
    assert describe(folder), "what is not read is not found"
    with pytest.raises(FormatError, match="damaged, or no stack"):
        describe(folder, verify=True)
    (folder / "stack.zarr" / "zarr.json").unlink()
    with pytest.raises(FormatError, match="damaged, or no stack"):
        describe(folder)


@pytest.mark.parametrize("axis", ["thickness_nm", "tilt", "kx_mrad"])
def test_a_stack_without_an_axis_is_refused(parts, tmp_path, axis):
    folder = shutil.copytree(parts["stack_dir"], tmp_path / "stack")
    shutil.rmtree(folder / "stack.zarr" / axis / "c")
    with pytest.raises(FormatError, match="damaged, or no stack"):
        describe(folder)
    shutil.rmtree(folder / "stack.zarr" / axis)
    with pytest.raises(FormatError, match=axis):
        describe(folder)


def test_networks_with_a_model_card_have_a_line(tiny_bundle):
    lines = [line for line in describe(tiny_bundle.path) if line.partition(":")[0] in ("scale", "thickness", "mistilt")]
    assert lines == [
        "thickness: recipe compact from random weights, 24,000 patterns, 2,000 held out, epoch 9 of 10 kept, "
        "loss 1.5 (held out 1.6), median error 0.25 nm, seed 1, 150 CPU s, 20% of the time for data, calibrated, "
        "keras 3.8"
    ]


def test_a_bundle_without_networks_says_so(bare_bundle):
    assert "networks: none" in describe(bare_bundle.path, verify=True)
