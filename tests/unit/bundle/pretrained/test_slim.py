"""A slim bundle holds what cannot be made again, and nothing else."""

import json
import shutil

import numpy as np
import pytest

from pacbed.analysis.repetition import Examples, repeat_examples
from pacbed.bundle.archive import STRUCTURE, Archive
from pacbed.bundle.pretrained.slim import slim_bundle
from pacbed.bundle.reader import load_bundle
from pacbed.cli import run
from pacbed.errors import FormatError, ParameterError
from pacbed.shipped import PRETRAINED, shipped

LARGEST_MB, ALL_MB = 4, 40


def test_all_but_table_and_sample_is_there(slim, tiny_bundle):
    gone = set(tiny_bundle.names()) - set(slim.names())
    assert {name.split("/")[0] for name in gone} == {"rocking.zarr", "validation.zarr"}
    kept = [name for name in slim.names() if name != "bundle.json" and not name.endswith(".onnx")]
    assert all(slim.read(name) == tiny_bundle.read(name) for name in kept)
    assert slim.meta.model_copy(update={"members": {}}) == tiny_bundle.meta.model_copy(update={"members": {}})
    slim.verify()
    assert not slim.holds("rocking.zarr")


def test_the_command_tells_the_size_and_replaces_nothing(tiny_bundle_file, slim_file, tmp_path, capsys):
    out = tmp_path / "out.pacbed"
    assert run(["slim", str(tiny_bundle_file), "--out", str(out)]) == 0
    assert capsys.readouterr().out == f"{out}: {out.stat().st_size / 1e6:.1f} MB\n"
    assert out.read_bytes() == slim_file.read_bytes()
    assert run(["slim", str(tiny_bundle_file), "--out", str(out)]) == 2
    said = capsys.readouterr().err
    assert said.startswith("error: out: got ")
    assert said.endswith(", accepted: a new .pacbed file\n")
    assert len(said.splitlines()) == 1


def test_what_could_not_be_made_again_is_not_taken_away(folder, tmp_path):
    meta = json.loads((folder / "bundle.json").read_text())
    meta["crystal"]["thermal_model"] = "frozen_phonons"
    phonons = shutil.copytree(folder, tmp_path / "phonons")
    (phonons / "bundle.json").write_text(json.dumps(meta))
    with pytest.raises(ParameterError, match="displaced atoms do not"):
        slim_bundle(phonons, tmp_path / "out.pacbed")
    (folder / STRUCTURE / "table.json").write_bytes(b"{}")
    with pytest.raises(FormatError, match=r"damaged, missing or foreign: structure/table\.json"):
        slim_bundle(folder, tmp_path / "out.pacbed")
    assert not list(tmp_path.glob("out*"))


@pytest.mark.parametrize("file", sorted(shipped(PRETRAINED).glob("*.pacbed")), ids=lambda file: file.stem)
def test_networks_of_bundles_that_ship_answer_as_when_they_were_made(file):
    bundle = load_bundle(file)
    examples = Examples.of(bundle)
    assert len(examples.pattern) == 10
    repeated = repeat_examples(bundle, examples, refine=False)
    assert repeated.networks_nm < 0.1
    assert np.median(np.abs(examples.refined_nm[:, 0] - examples.true_nm)) < 0.2


def test_bundles_that_ship_are_small_whole_and_named_after_their_system():
    files = list(shipped(PRETRAINED).glob("*.pacbed"))
    assert all(file.stat().st_size <= 1e6 * LARGEST_MB for file in files)
    assert sum(file.stat().st_size for file in files) <= 1e6 * ALL_MB
    for file in files:
        archive = Archive(file)
        archive.verify()
        assert archive.meta.system == file.stem
