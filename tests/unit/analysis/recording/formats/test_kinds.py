import zipfile

import h5py
import imageio.v3 as iio
import numpy as np
import pytest
import tifffile
import zarr

from pacbed.analysis.recording.formats.kinds import Kind, kind_of
from pacbed.analysis.recording.formats.opening import open_images
from pacbed.errors import PatternError

GREY = np.arange(64, dtype=np.uint8).reshape(8, 8)


def write_tiff(file):
    tifffile.imwrite(file, GREY)


def write_big_tiff(file):
    tifffile.imwrite(file, GREY, bigtiff=True, byteorder=">")


def write_hdf5(file):
    with h5py.File(file, "w", userblock_size=512) as store:  # HDF5 begins behind the user's own bytes
        store["a"] = GREY


def write_npy(file):
    with file.open("wb") as stream:
        np.save(stream, GREY)


def write_npz(file):
    with file.open("wb") as stream:
        np.savez(stream, a=GREY)


def write_zarr_zip(file):
    with zarr.storage.ZipStore(file, mode="w") as store:
        zarr.create_array(store, data=GREY)


@pytest.mark.parametrize(
    ("write", "kind"),
    [
        (write_tiff, "tiff"),
        (write_big_tiff, "tiff"),
        (write_hdf5, "hdf5"),
        (write_npy, "npy"),
        (write_npz, "npz"),
        (write_zarr_zip, "zarr"),
        (lambda file: iio.imwrite(file, GREY, extension=".png"), "picture"),
        (lambda file: iio.imwrite(file, GREY, extension=".jpg"), "picture"),
        (lambda file: iio.imwrite(file, GREY, extension=".gif"), "picture"),
        (lambda file: iio.imwrite(file, GREY, extension=".bmp"), "picture"),
    ],
)
@pytest.mark.parametrize("name", ["a.mrc", "a.xyz", "a.tif", "no suffix"])
def test_content_counts_and_the_name_does_not(tmp_path, write, kind, name):
    write(tmp_path / name)
    assert kind_of(tmp_path / name) == Kind(kind)


@pytest.mark.parametrize(
    ("head", "plugin"),
    [
        (b"\0\0\0\x03\0\0\0\0", "digitalmicrograph"),
        (b"\0\0\0\x04\0\0\0\0", "digitalmicrograph"),
        (b"MQ1,000001,00384,01,0256,0256,U16", "quantumdetector"),
        (b"IMGBLO\x02\x01", "blockfile"),
        (b"II\x97\x01\x20\x02", "tia"),
        (b"\0" * 208 + b"MAP " + b"\0" * 900, "mrc"),
        (b'<?xml version="1.0"?><root><raw_file filename="scan_x2_y1.raw"/></root>', "empad"),
    ],
)
def test_marks_of_microscopes_formats(tmp_path, head, plugin):
    (tmp_path / "renamed.dat").write_bytes(head)
    assert kind_of(tmp_path / "renamed.dat") == Kind("rosetta", plugin)


@pytest.mark.parametrize(("name", "plugin"), [("a_000.tvips", "tvips"), ("A.MRC", "mrc"), ("a.rpl", "ripple")])
def test_formats_without_a_mark_go_by_their_suffix(tmp_path, name, plugin):
    (tmp_path / name).write_bytes(b"\x40\0\0\0" * 300)
    assert kind_of(tmp_path / name) == Kind("rosetta", plugin)


def test_folders_are_zarr_stores_or_nothing(tmp_path):
    zarr.create_array(str(tmp_path / "a.zarr"), data=GREY)
    assert kind_of(tmp_path / "a.zarr") == Kind("zarr")
    (tmp_path / "elsewhere").symlink_to("/")
    with pytest.raises(PatternError, match=r"got the folder .*, accepted: a file, or a folder"), open_images(tmp_path):
        pass  # and is not walked through
    (tmp_path / "elsewhere").unlink()
    with pytest.raises(PatternError, match=r"got the folder .*, accepted: a file, or a folder that is a Zarr store"):
        kind_of(tmp_path)


def test_what_nobody_reads_names_what_is_read(tmp_path):
    (tmp_path / "a.xyz").write_bytes(b"nothing of the kind")
    with pytest.raises(PatternError, match=r"nobody reads .*a\.xyz.*accepted: \.tif .* RosettaSciIO"):
        kind_of(tmp_path / "a.xyz")
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("letter.txt", "no pattern")
    with pytest.raises(PatternError, match="nobody reads"):
        kind_of(tmp_path / "a.zip")


def test_half_of_a_pair_of_files_names_the_other(tmp_path):
    (tmp_path / "scan_x2_y1.raw").write_bytes(b"\0" * 100)
    with pytest.raises(PatternError, match=r"accepted: the \.xml file"):
        kind_of(tmp_path / "scan_x2_y1.raw")
    (tmp_path / "film.hdr").write_text("HDR,\n")
    (tmp_path / "film.mib").write_bytes(b"MQ1,")
    with pytest.raises(PatternError, match=r"accepted: its frames, film\.mib"):
        kind_of(tmp_path / "film.hdr")
    (tmp_path / "FILM.MIB").write_bytes(b"MQ1,")
    with pytest.raises(PatternError, match=r"accepted: its frames, film\.mib"):
        kind_of(tmp_path / "film.hdr")
    (tmp_path / "film.mib").unlink()
    with pytest.raises(PatternError, match=r"accepted: its frames, FILM\.MIB"):
        kind_of(tmp_path / "film.hdr")
