"""What is declared is looked at before it is read."""

import struct
import zipfile
import zlib

import h5py
import numpy as np
import pytest
import tifffile
from PIL import Image

from pacbed.analysis.recording.guard import sizes
from pacbed.analysis.recording.guard.sizes import LARGEST_VALUES, check_declared, check_size, load_array
from pacbed.analysis.recording.pattern_file import read_pattern
from pacbed.analysis.recording.scan_file import open_scan
from pacbed.errors import PatternError

EDGE = 20000  # pixels of 400 million


def npy_header(shape):
    header = f"{{'descr': '<u2', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode()


def huge_npy(folder):
    with (folder / "a.npy").open("wb") as file:
        file.write(npy_header((EDGE, EDGE)))
        file.truncate(128 + 2 * EDGE * EDGE)  # holes take no room on the disk
    return folder / "a.npy"


def huge_npz(folder):
    with zipfile.ZipFile(folder / "a.npz", "w") as archive:
        archive.writestr("scan.npy", npy_header((EDGE, EDGE, 4)))
    return folder / "a.npz"


def huge_hdf5(folder):
    with h5py.File(folder / "a.h5", "w") as store:
        store.create_dataset("data", (512, 512, 256, 256), "u2", chunks=(1, 1, 256, 256))
    return folder / "a.h5"


def huge_tiff(folder):
    """A page of 16 pixels that says it has 400 million."""
    tifffile.imwrite(folder / "a.tif", np.zeros((4, 4), np.uint16), compression="zlib")
    with tifffile.TiffFile(folder / "a.tif", mode="r+b") as tiff:
        for tag in ("ImageWidth", "ImageLength", "RowsPerStrip"):
            tiff.pages[0].tags[tag].overwrite(EDGE)
    return folder / "a.tif"


def huge_png(folder):
    """Below what Pillow refuses, above what a camera has."""

    def chunk(kind, content):
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", 13000, 12000, 16, 0, 0, 0, 0)
    data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"0")) + chunk(b"IEND", b"")
    (folder / "a.png").write_bytes(data)
    return folder / "a.png"


def long_gif(folder, monkeypatch):
    frames = [Image.fromarray(np.full((64, 64), value, np.uint8)) for value in range(3)]
    frames[0].save(folder / "a.gif", save_all=True, append_images=frames[1:])
    monkeypatch.setattr(sizes, "LARGEST_VALUES", 2 * 64 * 64)
    return folder / "a.gif"


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize("make", [huge_npy, huge_npz, huge_hdf5, huge_tiff, huge_png])
def test_what_cannot_be_one_pattern_is_not_read(tmp_path, make):
    file = make(tmp_path)
    with pytest.raises(PatternError, match=r"got an array of [\d x]+ values, accepted: at most|holds \d+ patterns"):
        read_pattern(file)


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize("make", [huge_npz, huge_tiff, huge_png])
def test_the_look_alone_tells(tmp_path, make):
    with pytest.raises(PatternError, match=f"a{make(tmp_path).suffix}"):
        check_declared(tmp_path / make(tmp_path).name)


def test_a_page_that_unpacks_to_more_than_itself_is_refused(tmp_path):
    file = tmp_path / "a.tif"
    noise = np.random.default_rng(0).integers(0, 65535, (64, 64), dtype=np.uint16)
    tifffile.imwrite(file, noise, compression="zlib")
    check_declared(file)  # noise cannot be packed
    bomb, place = zlib.compress(bytes(10**8)), file.stat().st_size
    with tifffile.TiffFile(file, mode="r+b") as tiff:
        tiff.pages[0].tags["StripOffsets"].overwrite(place)
        tiff.pages[0].tags["StripByteCounts"].overwrite(len(bomb))
    file.write_bytes(file.read_bytes() + bomb)
    with pytest.raises(PatternError, match=f"{len(bomb)} packed bytes of a page of 8192"):
        read_pattern(file)


def test_all_frames_of_a_picture_count(tmp_path, monkeypatch):
    file = long_gif(tmp_path, monkeypatch)
    monkeypatch.setattr(sizes.check_size, "__kwdefaults__", {"largest": 2 * 64 * 64})
    with pytest.raises(PatternError, match="3 x 64 x 64"):
        check_declared(file)


def test_a_huge_scan_is_opened_and_read_in_parts(tmp_path):
    """34 GB are declared; one window of them is asked for."""
    with open_scan(huge_hdf5(tmp_path)) as scan:
        assert scan.scan_shape == (512, 512)
        assert scan.mean(3, 5, 2).shape == (256, 256)


def test_a_truncated_array_is_one_line(tmp_path):
    (tmp_path / "a.npy").write_bytes(npy_header((10**7, 10**7)) + bytes(1000))
    for read in (read_pattern, lambda path: open_scan(path).__enter__()):
        with pytest.raises(PatternError, match=r"cannot be read \(ValueError") as error:
            read(tmp_path / "a.npy")
        assert "\n" not in str(error.value)


def test_the_limit_is_of_values(tmp_path):
    check_size((LARGEST_VALUES,), "a")
    with pytest.raises(PatternError, match=f"^a: got an array of 2 x {LARGEST_VALUES} values"):
        check_size((2, LARGEST_VALUES), "a")
    with pytest.raises(PatternError, match=r"\.\.\. values"):
        check_size((9,) * 40, "a")


@pytest.mark.parametrize("dtype", [object, "U3", "c8", bool, "M8[s]"])
def test_only_numbers_are_loaded(dtype):
    with pytest.raises(PatternError, match="accepted: real numbers"):
        load_array(np.zeros((2, 2), dtype), "a")


def test_colours_in_fields_are_loaded():
    values = np.zeros((3, 4), [("R", "u1"), ("G", "u1"), ("B", "u1")])
    assert load_array(values, "a").dtype.names == ("R", "G", "B")


def test_no_memory_is_one_line(tmp_path):
    class Greedy:
        dtype, shape = np.dtype("u1"), (4, 4)

        def __getitem__(self, _):
            raise MemoryError

    with pytest.raises(PatternError, match=r"^a\.h5: does not fit into memory"):
        load_array(Greedy(), "a.h5")


def test_others_are_let_through(tmp_path):
    (tmp_path / "a.dm4").write_bytes(bytes(8))
    check_declared(tmp_path / "a.dm4")
    check_declared(tmp_path)


@pytest.mark.parametrize("start", [b"IMGBLO", b"random"])
def test_a_block_file_of_more_patterns_than_it_holds_is_refused(tmp_path, start):
    """Its reader would divide so large a scan into parts for ever."""
    (tmp_path / "a.blo").write_bytes(start + b"q" * 8000)
    with pytest.raises(PatternError, match="a header of more patterns than the file holds"):
        check_declared(tmp_path / "a.blo")
