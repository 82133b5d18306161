"""Files that name others: what lies elsewhere on the machine stays there."""

import h5py
import numpy as np
import pytest
import tifffile
import zarr

from pacbed.analysis.recording.guard.references import check_references
from pacbed.analysis.recording.pattern_file import read_pattern
from pacbed.analysis.recording.scan_file import open_scan
from pacbed.errors import PatternError

SECRET = np.arange(64.0 * 64).reshape(64, 64)


@pytest.fixture
def folder(tmp_path):
    """A folder of the user's, with an HDF5 file outside it and one inside."""
    inside = tmp_path / "inside"
    inside.mkdir()
    for place in (tmp_path / "secret.h5", inside / "frames.h5"):
        with h5py.File(place, "w") as store:
            store["p"] = SECRET
    (tmp_path / "secret.raw").write_bytes(SECRET.tobytes())
    return inside


def linked(file, target, *, name="p"):
    with h5py.File(file, "w") as store:
        store["entry/data"] = h5py.ExternalLink(str(target), name)
    return file


def virtual(file, source):
    layout = h5py.VirtualLayout((64, 64), "f8")
    layout[:] = h5py.VirtualSource(str(source), "p", (64, 64))
    with h5py.File(file, "w") as store:
        store.create_virtual_dataset("deep/down/data", layout)
    return file


def stored_outside(file, raw):
    with h5py.File(file, "w") as store:
        store.create_dataset("data", (64, 64), "f8", external=[(str(raw), 0, h5py.h5f.UNLIMITED)])
    return file


MAKERS = {
    "absolute link": lambda folder: linked(folder / "a.h5", folder.parent / "secret.h5"),
    "link by dots": lambda folder: linked(folder / "a.h5", "../secret.h5"),
    "link to nothing outside": lambda folder: linked(folder / "a.h5", "/nowhere/at/all.h5"),
    "virtual by dots": lambda folder: virtual(folder / "a.h5", "../secret.h5"),
    "virtual absolute": lambda folder: virtual(folder / "a.h5", folder.parent / "secret.h5"),
    "external storage": lambda folder: stored_outside(folder / "a.h5", folder.parent / "secret.raw"),
    "external storage inside": lambda folder: stored_outside(folder / "a.h5", folder / "frames.h5"),
}


@pytest.mark.parametrize("suffix", [".h5", ".hspy", ".emd", ".nxs"])
@pytest.mark.parametrize("kind", MAKERS)
def test_what_lies_outside_is_not_read(folder, kind, suffix):
    file = MAKERS[kind](folder).rename(folder / f"a{suffix}")
    for read in (read_pattern, lambda path: open_scan(path).__enter__()):
        with pytest.raises(PatternError, match=r"references to files of its own folder only$"):
            read(file)


def test_a_file_inside_may_not_reach_further(folder):
    linked(folder / "between.h5", "../secret.h5")
    with pytest.raises(PatternError, match=r"between\.h5, accepted: references"):
        check_references(linked(folder / "a.h5", "between.h5", name="entry/data"))


def test_a_symbolic_link_is_resolved_before_the_comparison(folder):
    (folder / "looks_fine.h5").symlink_to(folder.parent / "secret.h5")
    with pytest.raises(PatternError, match="own folder only"):
        check_references(linked(folder / "a.h5", "looks_fine.h5"))


def test_the_working_directory_is_no_way_out(folder, monkeypatch):
    monkeypatch.chdir(folder.parent)
    with pytest.raises(PatternError, match="own folder only"):
        check_references(linked(folder / "a.h5", "secret.h5"))


def test_files_beside_it_may_be_named(folder):
    (folder / "below").mkdir()
    (folder / "frames.h5").rename(folder / "below" / "frames.h5")
    check_references(linked(folder / "a.h5", "below/frames.h5"))
    check_references(virtual(folder / "b.h5", "below/frames.h5"))
    check_references(linked(folder / "c.h5", "a.h5", name="entry/data"))
    linked(folder / "d.h5", "d.h5", name="entry/data")  # a circle ends
    check_references(folder / "d.h5")


def test_a_moved_measurement_is_found_by_its_last_name(folder):
    """HDF5 itself looks for the last part of an absolute name beside the file that names it."""
    check_references(linked(folder / "a.h5", "/home/camera/2024/frames.h5"))


def test_through_a_symbolic_link_the_folder_is_that_of_the_real_file(folder, tmp_path):
    real = linked(folder / "a.h5", "frames.h5")
    (tmp_path / "desk").mkdir()
    link = tmp_path / "desk" / "a.h5"
    link.symlink_to(real)
    check_references(link)


def test_a_missing_neighbour_is_named(folder):
    with pytest.raises(PatternError, match=r"'gone\.h5' in .*accepted: files that lie beside it"):
        check_references(linked(folder / "a.h5", "gone.h5"))


def test_soft_and_virtual_ways_within_one_file_are_its_own(folder):
    with h5py.File(folder / "a.h5", "w") as store:
        store["p"] = SECRET
        store["again"] = h5py.SoftLink("/p")
        layout = h5py.VirtualLayout((64, 64), "f8")
        layout[:] = h5py.VirtualSource(store["p"])
        store.create_virtual_dataset("third", layout)
    check_references(folder / "a.h5")
    np.testing.assert_array_equal(read_pattern(folder / "a.h5", dataset="third").array, SECRET)


def test_zarr_chunks_from_elsewhere_are_refused(folder):
    target = folder / "scan.zarr"
    zarr.create_array(target, data=np.ones((2, 2, 32, 32)), chunks=(1, 1, 32, 32))
    check_references(target)
    chunk = next(path for path in (target / "c").rglob("*") if path.is_file())
    chunk.rename(target / "c" / "kept")
    chunk.symlink_to(target / "c" / "kept")
    check_references(target)  # a link within the folder
    chunk.unlink()
    chunk.symlink_to(folder.parent / "secret.raw")
    with pytest.raises(PatternError, match=r"-> .*secret\.raw"), open_scan(target):
        pass


@pytest.mark.parametrize(("name", "accepted"), [("scan_x2_y1.raw", True), ("../scan_x2_y1.raw", False)])
def test_the_data_of_an_empad_lie_beside_its_xml(folder, name, accepted):
    (folder / name).write_bytes(bytes(2 * 130 * 128 * 4))
    xml = folder / "empad.xml"
    xml.write_text(f'<root><raw_file filename="{name}"/></root>')
    if accepted:
        check_references(xml)
        return
    with pytest.raises(PatternError, match="own folder only"):
        check_references(xml)


@pytest.mark.parametrize("name", ["a.nc", "a.h5"])
def test_a_reader_that_executes_text_is_not_used(folder, name):
    (folder / name).write_bytes(b"CDF\x01")
    with pytest.raises(PatternError, match=rf"{name}, accepted: any other format than netCDF"):
        read_pattern(folder / name)


def test_content_counts_and_not_the_suffix(folder):
    for name in ("a.nc", "a.xml"):
        (folder / "frames.h5").rename(folder / name)
        np.testing.assert_array_equal(read_pattern(folder / name).array, SECRET)
        (folder / name).rename(folder / "frames.h5")
    (folder / "a.txt").write_text(
        '<?xml version="1.0"?><root><!-- raw_file --><raw_file filename="../secret.raw"/></root>'
    )
    with pytest.raises(PatternError, match="own folder only"):
        check_references(folder / "a.txt")


def numbered(file, source):
    """A virtual data set that grows with every file of a pattern in each."""
    with h5py.File(file, "w") as store:
        space = h5py.h5s.create_simple((2, 64, 64), (h5py.h5s.UNLIMITED, 64, 64))
        space.select_hyperslab((0, 0, 0), (h5py.h5s.UNLIMITED, 1, 1), stride=(1, 1, 1), block=(1, 64, 64))
        options = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        options.set_virtual(space, source, b"p", h5py.h5s.create_simple((1, 64, 64)))
        h5py.h5d.create(store.id, b"data", h5py.h5t.NATIVE_DOUBLE, space, options)
    return file


def test_numbered_sources_are_looked_at_one_by_one(folder):
    for number in (0, 1):
        with h5py.File(folder / f"block_{number}.h5", "w") as store:
            store["p"] = SECRET[None] + number
    file = numbered(folder / "a.h5", b"block_%b.h5")
    check_references(file)
    np.testing.assert_array_equal(read_pattern(file, frame=(1,)).array, SECRET + 1)
    (folder / "block_1.h5").unlink()
    (folder / "block_1.h5").symlink_to(folder.parent / "secret.h5")
    with pytest.raises(PatternError, match="own folder only"):
        check_references(file)
    with pytest.raises(PatternError, match=r"'none_0\.h5' in .*files that lie beside it"):
        check_references(numbered(folder / "b.h5", b"none_%b.h5"))


def test_an_index_of_an_ndtiff_names_files_beside_it(folder, monkeypatch):
    tifffile.imwrite(folder / "a.tif", SECRET.astype(np.uint16))
    monkeypatch.setattr(tifffile.TiffFile, "is_ndtiff", True)
    monkeypatch.setattr(tifffile, "read_ndtiff_index", lambda file: [({}, "../secret.h5")])
    with pytest.raises(PatternError, match="own folder only"):
        check_references(folder / "a.tif")


@pytest.mark.parametrize("start", [b"<!DOCTYPE html><p>", b"\xef\xbb\xbfkey\tvalue", b"\xff\xfe\x00\x01"])
def test_what_only_begins_like_xml_is_left_to_its_reader(folder, start):
    (folder / "a.txt").write_bytes(start)
    check_references(folder / "a.txt")
    with pytest.raises(PatternError, match="nobody reads"):
        read_pattern(folder / "a.txt")


def test_what_names_nothing_is_let_through(folder):
    (folder / "text.txt").write_text("nothing")
    (folder / "empty.h5").touch()
    check_references(folder / "text.txt")
    check_references(folder / "empty.h5")
