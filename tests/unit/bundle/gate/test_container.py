"""Containers that could write elsewhere, read elsewhere, or become more than they look, are refused."""

import os
import shutil
import stat
import struct
import zipfile
import zlib

import pytest

from pacbed.bundle.gate.container import check_container
from pacbed.bundle.reader import load_bundle
from pacbed.errors import FormatError


@pytest.fixture
def copy(tiny_bundle_file, tmp_path):
    """A copy of the tiny bundle that a test may add to."""
    return shutil.copy(tiny_bundle_file, tmp_path / "copy.pacbed")


def add(path, name, content=b"{}", *, compress=zipfile.ZIP_STORED, mode=0):
    """Add a member under any name."""
    info = zipfile.ZipInfo("structure/aa.json")
    info.filename, info.compress_type, info.external_attr = name, compress, mode << 16
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(info, content)


def test_a_packed_bundle_and_its_folder_pass(tiny_bundle_file, tmp_path):
    check_container(tiny_bundle_file)
    with zipfile.ZipFile(tiny_bundle_file) as archive:
        archive.extractall(tmp_path / "folder")
    (tmp_path / "folder" / ".snakemake_timestamp").touch()
    check_container(tmp_path / "folder")


@pytest.mark.parametrize(
    "name",
    ["../up.json", "/etc/passwd", "structure/../../up.json", "C:\\up.json", "structure\\up.json", "run.py",
     "structure/x.py", "structure/" + "x" * 300 + ".json", "rocking.zarr/.zarray", "rocking.zarr/../x/zarr.json",
     "bundle.json\0.json", "structure/", "rocking.zarr/level_0/c/../../x", "Scale.ONNX"],
)  # fmt: skip
def test_members_that_no_bundle_has_are_refused_by_name(copy, name):
    add(copy, name)
    with pytest.raises(FormatError, match=r"copy.pacbed: got the (foreign )?member|got two members"):
        load_bundle(copy)


def test_a_member_twice_is_refused(copy):
    with pytest.warns(UserWarning, match="Duplicate"):
        add(copy, "structure/cell.json")
    with pytest.raises(FormatError, match=r"two members 'structure/cell.json'"):
        load_bundle(copy)


def test_a_zip_bomb_is_refused_before_it_is_unpacked(copy):
    add(copy, "structure/zeros.json", b"0" * 10_000_000, compress=zipfile.ZIP_DEFLATED)
    with pytest.raises(FormatError, match=r"larger than the file|compressed member"):
        load_bundle(copy)


def test_even_little_compression_is_refused(copy):
    add(copy, "structure/zeros.json", b"0" * 300, compress=zipfile.ZIP_DEFLATED)
    with pytest.raises(FormatError, match=r"compressed member 'structure/zeros.json'"):
        load_bundle(copy)


def test_members_that_share_bytes_are_refused(tmp_path):
    """A thousand entries of the directory that all name the same megabyte."""
    content, name = bytes(1_000_000), b"structure/a%03d.json"
    crc, size = zlib.crc32(content), len(content)
    local = struct.pack("<4s5H3I2H", b"PK\3\4", 20, 0, 0, 0, 33, crc, size, size, len(name % 0), 0)
    entries = [
        struct.pack("<4s6H3I5H2I", b"PK\1\2", 20, 20, 0, 0, 0, 33, crc, size, size, len(name % n), 0, 0, 0, 0, 0, 0)
        + name % n
        for n in range(999)
    ]
    start, directory = local + name % 0 + content, b"".join(entries)
    end = struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, len(entries), len(entries), len(directory), len(start), 0)
    (tmp_path / "quine.pacbed").write_bytes(start + directory + end)
    with pytest.raises(FormatError, match="larger than the file"):
        load_bundle(tmp_path / "quine.pacbed")


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR])
def test_links_and_devices_are_refused(copy, kind):
    add(copy, "structure/link.json", b"/etc/passwd", mode=kind | 0o777)
    with pytest.raises(FormatError, match=r"link or device 'structure/link.json'"):
        load_bundle(copy)


def test_a_folder_with_a_link_is_refused(tiny_bundle_file, tmp_path):
    with zipfile.ZipFile(tiny_bundle_file) as archive:
        archive.extractall(tmp_path / "folder")
    os.symlink("/etc/passwd", tmp_path / "folder" / "structure" / "link.json")
    with pytest.raises(FormatError, match="link or device"):
        load_bundle(tmp_path / "folder")


def test_an_encrypted_member_is_refused(copy, tmp_path):
    content = bytearray(copy.read_bytes())
    place = content.rindex(b"PK\1\2")  # the last entry of the directory; its flags follow 8 bytes later
    content[place + 8] |= 1
    copy.write_bytes(content)
    with pytest.raises(FormatError, match="encrypted member"):
        load_bundle(copy)


@pytest.mark.parametrize("content", [b"", b"PK\3\4", b"no zip at all", b"PK\5\6" + bytes(18)])
def test_what_is_no_bundle_is_refused(tmp_path, content):
    (tmp_path / "x.pacbed").write_bytes(content)
    with pytest.raises(FormatError, match=r"bundle.json is missing or damaged"):
        load_bundle(tmp_path / "x.pacbed")
