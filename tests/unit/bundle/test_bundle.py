import json
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest

from pacbed.bundle.archive import zip_folder
from pacbed.bundle.pack import BundleSources, pack_bundle
from pacbed.bundle.reader import load_bundle
from pacbed.errors import FormatError
from pacbed.patterns import Geometry, polar_to_vector


@pytest.fixture
def folder(tiny_bundle_file, tmp_path):
    """The content of the bundle as a folder that a test may spoil."""
    with zipfile.ZipFile(tiny_bundle_file) as archive:
        archive.extractall(tmp_path / "folder")
    return tmp_path / "folder"


def test_a_bundle_is_a_sorted_uncompressed_zip_without_dates(tiny_bundle_file):
    with zipfile.ZipFile(tiny_bundle_file) as archive:
        names = archive.namelist()
        assert names == sorted(names)
        assert len(set(names)) == len(names)
        assert all(item.compress_type == zipfile.ZIP_STORED for item in archive.infolist())
        assert {item.date_time for item in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    assert {"bundle.json", "scale.onnx", "thickness.onnx", "mistilt.onnx"} <= set(names)
    assert {
        "structure/cell.json",
        "structure/slices.npz",
        "rocking.zarr/zarr.json",
        "validation.zarr/zarr.json",
    } <= set(names)
    assert sorted(tiny_bundle_file.parent.iterdir()) == [tiny_bundle_file]


@pytest.fixture
def pack(parts, trained_grid):
    """Packs the parts, some of them changed, to a file."""

    def packed(out, **changes):
        pack_bundle(BundleSources(**{**parts, **changes}), trained_grid, system="tiny", out_bundle=out)

    return packed


def test_the_same_content_gives_the_same_file(pack, tiny_bundle_file, tmp_path):
    pack(tmp_path / "again.pacbed")
    assert (tmp_path / "again.pacbed").read_bytes() == tiny_bundle_file.read_bytes()


def test_file_and_folder_render_alike_and_as_the_full_table(tiny_bundle, tiny_table, folder):
    from pacbed.simulation.rendering.renderer import Renderer

    settings = {"thickness_nm": 7.3, "convergence_mrad": 13.7, "mistilt_mrad": (1.0, -0.4)}
    geometry = Geometry.field_of_view(40, 20.0)
    expected = Renderer(tiny_table).render(geometry=geometry, **settings)
    found = tiny_bundle.renderer.render(geometry=geometry, **settings)
    assert 0 < np.linalg.norm(found - expected) < 1e-3 * np.linalg.norm(expected)
    np.testing.assert_array_equal(load_bundle(folder).renderer.render(geometry=geometry, **settings), found)


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


def test_validation_sample_is_held_out_and_rendered_alike(tiny_bundle, parts):
    import zarr

    sample = tiny_bundle.validation()
    split = np.asarray(zarr.open_group(str(parts["stack_dir"] / "stack.zarr"), mode="r")["split"][...])
    assert sample["pattern"].shape == (min(3, (split == 1).sum()), 10, 32, 32)
    image = tiny_bundle.renderer.render(
        thickness_nm=float(sample["thickness_nm"][4]),
        convergence_mrad=float(sample["convergence_mrad"][0]),
        mistilt_mrad=polar_to_vector(float(sample["mistilt_mrad"][0]), float(sample["azimuth_deg"][0])),
        geometry=Geometry.field_of_view(32, 22.5),
    )
    # The stack is rounded to 0.8e-3 of this image's maximum, and the table is packed with a loss of up to 1.1e-3.
    assert np.abs(sample["pattern"][0, 4] - image).max() < 2e-3 * image.max()


def test_structure_lets_a_table_be_built_again(folder, tiny_table):
    from pacbed.bundle.recipe import Recipe
    from pacbed.crystal.potentials import SlicePotentials

    assert SlicePotentials.load(folder / "structure").energy_ev == tiny_table.energy_ev
    recipe = Recipe.load(folder / "structure")
    assert (recipe.cone_mrad, recipe.field_mrad, recipe.propagator) == (20.0, 35.0, "exact")


def test_networks_answer(tiny_bundle):
    image = np.random.default_rng(0).random((32, 32))
    for task, network in tiny_bundle.networks.items():
        probability = network.probability(image, 14.0)
        assert probability.shape == network.class_values.shape
        assert probability.sum() == pytest.approx(1)
        assert np.ptp(probability) > 1e-3, task
        # The levels come from every second pixel, so a turned image is not quite the same.
        np.testing.assert_allclose(network.probability(np.rot90(image), 14.0), probability, atol=0.03)


def test_whole_bundles_verify(tiny_bundle, folder):
    tiny_bundle.verify()
    load_bundle(folder).verify()


@pytest.mark.parametrize("damage", ["change", "remove", "add"])
def test_verify_names_what_is_wrong(folder, damage):
    member = folder / "thickness.onnx"
    if damage == "change":
        member.write_bytes(member.read_bytes()[:-1] + b"?")
    elif damage == "remove":
        member.unlink()
    else:
        member = folder / "extra.bin"
        member.write_bytes(b"1")
    with pytest.raises(FormatError, match=member.name):
        load_bundle(folder).verify()


@pytest.mark.parametrize("size", [0, 100, 5_000, 100_000])
def test_truncated_files_are_refused(tiny_bundle_file, tmp_path, size):
    short = tmp_path / "short.pacbed"
    short.write_bytes(tiny_bundle_file.read_bytes()[:size])
    with pytest.raises(FormatError, match="short"):
        load_bundle(short)


def edit(folder, **change):
    data = json.loads((folder / "bundle.json").read_text())
    (folder / "bundle.json").write_text(json.dumps(data | change))


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"schema_version": 3}, "got schema_version 3, accepted: 1 to 2; it comes from a newer pacbed"),
        ({"schema_version": 1}, "model_error: damaged or incomplete"),
        ({"model_error": {"thickness_nm": [5, 10], "std_nm": [0.1], "source": ""}}, "one value from 0 up for each"),
        ({"model_error": {"thickness_nm": [10, 5], "std_nm": [0.1, 0.2], "source": ""}}, "positive and ascending"),
        ({"colour": 1}, "colour"),
        ({"energy_kev": "x"}, "energy_kev"),
    ],
)
def test_foreign_bundles_are_refused_by_name(folder, change, text):
    edit(folder, **change)
    with pytest.raises(FormatError, match=text):
        load_bundle(folder)


def test_a_bundle_of_the_version_before_is_read(folder):
    shutil.copyfile(Path(__file__).parent / "data" / "bundle_version_1.json", folder / "bundle.json")
    bundle = load_bundle(folder)
    assert bundle.meta.schema_version == 2
    assert [bundle.meta.model_error.std_at(t) for t in (0.0, 8.0, 150.0)] == pytest.approx([0.0, 0.16, 3.0])
    assert bundle.meta.model_error.effects == {}
    assert bundle.meta.trained.thickness_nm == (1, 10)


def test_the_thickness_budget_travels_in_the_bundle(tiny_bundle, parts):
    budget = json.loads(parts["model_error_json"].read_text())
    stored = tiny_bundle.meta.model_error
    assert stored.thickness_nm == budget["thickness_nm"]
    assert stored.effects["bonding"].bias_nm == [0.02, 0.15]
    # Linear between the budget's thicknesses, through nothing at 0, in proportion beyond.
    assert [stored.std_at(t) for t in (2.5, 5.0, 7.5, 10.0, 20.0)] == pytest.approx([0.05, 0.1, 0.15, 0.2, 0.4])


def test_damaged_members_are_found_when_used(folder):
    (folder / "thickness.onnx").write_bytes(b"no network")
    (folder / "mistilt.json").write_text('{"class_values": [1]}')
    for chunk in (folder / "rocking.zarr" / "level_1" / "packed").rglob("*"):
        if chunk.is_file() and chunk.name != "zarr.json":
            chunk.write_bytes(b"no data")
    bundle = load_bundle(folder)
    with pytest.raises(FormatError, match=r"rocking\.zarr"):
        _ = bundle.table
    with pytest.raises(FormatError, match=r"mistilt\.json: got no pixels"):
        _ = bundle.networks
    shutil.copyfile(folder / "scale.json", folder / "mistilt.json")
    with pytest.raises(FormatError, match=r"thickness\.onnx"):
        load_bundle(folder).networks["thickness"].probability(np.eye(32), 14.0)


def test_what_is_no_bundle_is_refused(tmp_path):
    for path in (tmp_path / "gone.pacbed", tmp_path):
        with pytest.raises(FormatError):
            load_bundle(path)
    (tmp_path / "text.pacbed").write_text("hello")
    with pytest.raises(FormatError, match=r"text\.pacbed"):
        load_bundle(tmp_path / "text.pacbed")


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


def test_a_folder_zips_to_the_packed_file(folder, tiny_bundle_file, tmp_path):
    zip_folder(folder, tmp_path / "again.pacbed")
    assert (tmp_path / "again.pacbed").read_bytes() == tiny_bundle_file.read_bytes()
