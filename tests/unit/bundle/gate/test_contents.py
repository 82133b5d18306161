"""The whole look at a bundle: what ships and what is packed passes, what was spoiled is named."""

from __future__ import annotations

import io
import shutil
import zipfile

import numpy as np
import pytest

from pacbed.bundle.archive import Archive, write_bundle
from pacbed.bundle.gate.contents import check_contents
from pacbed.bundle.pretrained.names import shipped_bundles
from pacbed.bundle.reader import load_bundle
from pacbed.errors import FormatError


@pytest.fixture
def folder(tiny_bundle_file, tmp_path):
    """The content of the bundle as a folder that a test may spoil."""
    with zipfile.ZipFile(tiny_bundle_file) as archive:
        archive.extractall(tmp_path / "folder")
    return tmp_path / "folder"


def packed(folder):
    """The folder as a bundle again, with hashes of what it now holds."""
    meta = Archive(folder).meta
    (folder / "bundle.json").unlink()
    write_bundle(folder, meta, folder.parent / "spoiled.pacbed")
    return folder.parent / "spoiled.pacbed"


def test_every_bundle_that_ships_passes():
    shipped = shipped_bundles()
    assert shipped
    for path in shipped.values():
        check_contents(Archive(path))


def test_a_packed_bundle_and_one_without_networks_pass(tiny_bundle, bare_bundle):
    check_contents(tiny_bundle)
    check_contents(bare_bundle)


def test_a_copy_of_a_shipped_bundle_is_looked_at(tmp_path):
    path = shutil.copy(next(iter(shipped_bundles().values())), tmp_path / "copy.pacbed")
    load_bundle(path)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("structure/more.json", "{}")
    with pytest.raises(FormatError, match=r"foreign member structure/more.json"):
        load_bundle(path)


def test_a_foreign_network_is_refused_when_the_bundle_is_opened(folder):
    (folder / "scale.onnx").write_bytes((folder / "thickness.onnx").read_bytes())
    with pytest.raises(FormatError, match=r"spoiled.pacbed: scale.onnx: got outputs"):
        load_bundle(packed(folder))


def test_a_network_without_its_description_is_refused(folder):
    (folder / "scale.json").unlink()
    with pytest.raises(FormatError, match=r"scale.json is missing"):
        load_bundle(packed(folder))


def test_an_archive_of_numpy_with_a_bomb_or_a_foreign_file_is_refused(folder):
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("x.npy", "w") as member:
        np.lib.format.write_array_header_1_0(member, {"descr": "<u8", "fortran_order": False, "shape": (2**25,)})
        for _ in range(256):
            member.write(bytes(2**20))
    content = bytearray(bomb.getvalue())
    size = content.index((2**28 + 128).to_bytes(4, "little"), len(content) - 200)
    content[size : size + 4] = (2**31 + 1).to_bytes(4, "little")  # as if there were eight times as much
    (folder / "structure" / "slices.npz").write_bytes(content)
    with pytest.raises(FormatError, match=r"slices.npz: got 2147483649 bytes"):
        load_bundle(packed(folder))
    with zipfile.ZipFile(folder / "structure" / "slices.npz", "w") as archive:
        archive.writestr("x.pkl", b"")
    with pytest.raises(FormatError, match=r"slices.npz"):
        load_bundle(packed(folder.parent / _again(folder)))


def _again(folder):
    """The folder with its description, which packing took away."""
    with zipfile.ZipFile(folder.parent / "spoiled.pacbed") as archive:
        (folder / "bundle.json").write_bytes(archive.read("bundle.json"))
    return folder.name


def test_what_a_prediction_is_given_is_looked_at(folder, camera):
    from pacbed import predict

    (folder / "rocking.zarr" / "zarr.json").write_text('{"zarr_format": 2}')
    with pytest.raises(FormatError, match=r"rocking.zarr/zarr.json: got no group or array of Zarr format 3"):
        predict(packed(folder), camera(), convergence_mrad=14.0)
