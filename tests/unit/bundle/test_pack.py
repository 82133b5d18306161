"""What a packed bundle holds, and that a failure leaves nothing of it."""

import json
import shutil

import pytest

from pacbed.bundle.pack import BundleSources, pack_bundle
from pacbed.bundle.reader import load_bundle
from pacbed.errors import FormatError


@pytest.fixture
def pack(parts, trained_grid):
    """Packs the parts, some of them changed, to a file."""

    def packed(out, **changes):
        pack_bundle(BundleSources(**{**parts, **changes}), trained_grid, system="tiny", out_bundle=out)

    return packed


def test_the_same_content_gives_the_same_file(pack, tiny_bundle_file, tmp_path):
    pack(tmp_path / "again.pacbed")
    assert (tmp_path / "again.pacbed").read_bytes() == tiny_bundle_file.read_bytes()


def test_meta_tells_ranges_metrics_and_versions(tiny_bundle):
    meta = tiny_bundle.meta
    assert meta.system == "tiny"
    assert meta.crystal["formula"] == "SrTiO3"
    assert meta.energy_kev == 200
    assert meta.trained.thickness_nm == (1, 10)
    assert meta.trained.convergence_mrad == (13, 15)
    assert meta.class_values["mistilt"] == [0, 1, 2, 3]
    assert meta.metrics["accepted"] == {"figure": 0.001}
    assert meta.stack_pixels == 32
    assert "pacbed" in meta.versions


def test_the_thickness_budget_travels_in_the_bundle(tiny_bundle, parts):
    budget = json.loads(parts["model_error_json"].read_text())
    stored = tiny_bundle.meta.model_error
    assert stored.thickness_nm == budget["thickness_nm"]
    assert stored.effects["bonding"].bias_nm == [0.02, 0.15]
    # Linear between the budget's thicknesses, through nothing at 0, in proportion beyond.
    assert [stored.std_at(t) for t in (2.5, 5.0, 7.5, 10.0, 20.0)] == pytest.approx([0.05, 0.1, 0.15, 0.2, 0.4])


def test_structure_lets_a_table_be_built_again(folder, tiny_table):
    from pacbed.bundle.recipe import Recipe
    from pacbed.crystal.potentials import SlicePotentials

    assert SlicePotentials.load(folder / "structure").energy_ev == tiny_table.energy_ev
    recipe = Recipe.load(folder / "structure")
    assert (recipe.cone_mrad, recipe.field_mrad, recipe.propagator) == (20.0, 35.0, "exact")


def test_a_failed_packing_leaves_the_old_file(pack, tiny_bundle_file, tmp_path):
    old = tmp_path / "old.pacbed"
    shutil.copyfile(tiny_bundle_file, old)
    with pytest.raises(FileNotFoundError):
        pack(old, models_dir=tmp_path / "gone")
    assert old.read_bytes() == tiny_bundle_file.read_bytes()


def test_parts_of_different_systems_are_not_packed(pack, parts, at_another_voltage, tmp_path):
    foreign = at_another_voltage(parts["stack_dir"])
    with pytest.raises(FormatError, match=r"stack: got .*300 keV, accepted: that of the structure, .*200 keV"):
        pack(tmp_path / "mixed.pacbed", stack_dir=foreign)
    assert list(tmp_path.glob("mixed*")) == []


def test_a_failed_packing_leaves_nothing_aside(pack, tmp_path):
    (tmp_path / "accepted.json").write_text("{")
    with pytest.raises(ValueError, match="Expecting"):
        pack(tmp_path / "new.pacbed", accepted_json=tmp_path / "accepted.json")
    assert list(tmp_path.glob("new*")) == []


def test_a_bundle_without_networks_says_so_and_is_read(pack, tiny_bundle, tmp_path):
    pack(tmp_path / "bare.pacbed", models_dir=None)
    bare = load_bundle(tmp_path / "bare.pacbed")
    bare.verify()
    assert set(tiny_bundle.names()) - set(bare.names()) == {
        f"{task}.{end}" for task in tiny_bundle.networks for end in ("onnx", "json")
    }
    assert (bare.networks, bare.meta.class_values) == ({}, {})
    assert set(bare.meta.metrics) == {"accepted", "evaluation"}
    assert bare.meta.trained == tiny_bundle.meta.trained
