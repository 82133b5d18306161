"""A bundle on disk: sorted, uncompressed, without dates, hashed member by member."""

import hashlib
import zipfile

import pytest

from pacbed.bundle.archive import Archive, members_of, names_in, zip_folder
from pacbed.errors import FormatError


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


def test_a_folder_zips_to_the_packed_file(folder, tiny_bundle_file, tmp_path):
    zip_folder(folder, tmp_path / "again.pacbed")
    assert (tmp_path / "again.pacbed").read_bytes() == tiny_bundle_file.read_bytes()


def test_hashes_are_those_of_the_files(folder):
    hashes = members_of(folder)
    assert set(hashes) == set(names_in(folder)) - {"bundle.json"}
    for name in ("scale.onnx", "structure/cell.json", "rocking.zarr/zarr.json"):
        assert hashes[name] == hashlib.sha256((folder / name).read_bytes()).hexdigest()


def test_a_part_of_a_bundle_is_refused_whatever_the_cache_holds(folder, tmp_path):
    (folder / "structure" / "slices.npz").unlink()
    zip_folder(folder, tmp_path / "part.pacbed")
    for path in (folder, tmp_path / "part.pacbed"):
        with pytest.raises(FormatError, match=r"structure/slices\.npz is missing: it is damaged"):
            Archive(path)
