"""Opening bundles: file or folder, this version or the one before, whole or damaged."""

import gc
import json
import shutil
import weakref
from pathlib import Path

import numpy as np
import pytest

from pacbed.bundle.reader import load_bundle
from pacbed.errors import FormatError
from pacbed.patterns import Geometry, polar_to_vector


def test_file_and_folder_render_alike_and_as_the_full_table(tiny_bundle, tiny_table, folder):
    from pacbed.simulation.rendering.renderer import Renderer

    settings = {"thickness_nm": 7.3, "convergence_mrad": 13.7, "mistilt_mrad": (1.0, -0.4)}
    geometry = Geometry.field_of_view(40, 20.0)
    expected = Renderer(tiny_table).render(geometry=geometry, **settings)
    found = tiny_bundle.renderer.render(geometry=geometry, **settings)
    assert 0 < np.linalg.norm(found - expected) < 1e-3 * np.linalg.norm(expected)
    np.testing.assert_array_equal(load_bundle(folder).renderer.render(geometry=geometry, **settings), found)


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


def test_networks_answer(tiny_bundle):
    rng = np.random.default_rng(0)
    for task, network in tiny_bundle.networks.items():
        image = rng.random((network.pixels, network.pixels))
        probability = network.answer(image, 14.0).probability
        assert probability.shape == network.class_values.shape
        assert probability.sum() == pytest.approx(1)
        assert np.ptp(probability) > 1e-3, task
        # A quarter turn is a whole number of columns of the polar map.
        np.testing.assert_allclose(network.answer(np.rot90(image), 14.0).probability, probability, atol=0.03)


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
        ({"schema_version": 5}, "got schema_version 5, accepted: 1 to 4; it comes from a newer pacbed"),
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
    assert bundle.meta.schema_version == 4
    assert [bundle.meta.model_error.std_at(t) for t in (0.0, 8.0, 150.0)] == pytest.approx([0.0, 0.16, 3.0])
    assert bundle.meta.model_error.effects == {}
    assert bundle.meta.trained.thickness_nm == (1, 10)


def test_damaged_members_are_found_when_it_is_opened(folder):
    for name, content, said in (
        ("thickness.onnx", b"no network", r"thickness\.onnx: damaged"),
        ("mistilt.json", b'{"class_values": [1]}', r"mistilt\.json: got no pixels"),
        ("rocking.zarr/level_1/packed/c/0", b"no data", r"rocking\.zarr/level_1/packed: got -1 bytes"),
    ):
        before = (folder / name).read_bytes()
        (folder / name).write_bytes(content)
        with pytest.raises(FormatError, match=said):
            load_bundle(folder)
        (folder / name).write_bytes(before)


def test_damage_inside_a_chunk_is_found_when_it_is_used(folder):
    chunk = folder / "rocking.zarr" / "level_1" / "packed" / "c" / "0"
    chunk.write_bytes(chunk.read_bytes()[:-100] + bytes(100))
    bundle = load_bundle(folder)
    with pytest.raises(FormatError, match=r"rocking\.zarr"):
        _ = bundle.table


def test_what_is_no_bundle_is_refused(tmp_path):
    for path in (tmp_path / "gone.pacbed", tmp_path):
        with pytest.raises(FormatError):
            load_bundle(path)
    (tmp_path / "text.pacbed").write_text("hello")
    with pytest.raises(FormatError, match=r"text\.pacbed"):
        load_bundle(tmp_path / "text.pacbed")


def test_a_folder_is_the_same_bundle_as_its_file(tiny_bundle, folder):
    same = load_bundle(folder)
    assert same.names() == tiny_bundle.names()
    assert same.sha256 == tiny_bundle.sha256
    assert same.meta == tiny_bundle.meta
    assert all(same.read(name) == tiny_bundle.read(name) for name in tiny_bundle.names())
    np.testing.assert_array_equal(same.validation()["pattern"], tiny_bundle.validation()["pattern"])


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_a_member_that_is_missing_is_named(tiny_bundle, folder, kind):
    bundle = tiny_bundle if kind == "file" else load_bundle(folder)
    with pytest.raises(FormatError, match=r"colour\.json is missing or damaged"):
        bundle.read("colour.json")


def test_bundles_that_differ_in_anything_differ_in_their_hash(tiny_bundle, folder):
    edit(folder, system="another")
    assert load_bundle(folder).sha256 != tiny_bundle.sha256


def test_levels_and_renderer_reach_as_far_as_the_trained_ranges(tiny_bundle):
    trained, table = tiny_bundle.meta.trained, tiny_bundle.table
    assert table.thickness_max_nm >= trained.thickness_nm[1]
    assert tiny_bundle.renderer.mistilt_max_mrad(trained.convergence_mrad[1]) >= trained.mistilt_mrad[1]
    ends = [level.thickness_max_nm for level in tiny_bundle.compact.levels]
    assert ends == sorted(ends)
    assert table is tiny_bundle.compact.levels[-1]


def test_a_bundle_keeps_what_predictions_share(folder):
    bundle, made = load_bundle(folder), []
    for key in ("a", "b", "a"):
        assert bundle.recent(key, lambda key=key: made.append(key) or key) == key
    assert made == ["a", "b"]
    for number in range(50):
        bundle.recent(number, lambda: None)
    bundle.recent("a", lambda: made.append("again"))
    assert made[-1] == "again"


def test_two_bundles_share_nothing(folder):
    one, two = load_bundle(folder), load_bundle(folder)
    assert one.recent("a", lambda: 1) == 1
    assert two.recent("a", lambda: 2) == 2


def test_a_bundle_without_networks_is_whole(bare_bundle, tiny_bundle):
    bare_bundle.verify()
    assert bare_bundle.networks == {}
    assert bare_bundle.table.thickness_max_nm == tiny_bundle.table.thickness_max_nm


def test_a_bundle_that_nobody_holds_is_gone_at_once(tiny_bundle_file):
    gc.disable()
    try:
        bundle = load_bundle(tiny_bundle_file)
        _ = bundle.renderer, bundle.networks
        gone = weakref.ref(bundle)
        del bundle, _
        assert gone() is None
    finally:
        gc.enable()
