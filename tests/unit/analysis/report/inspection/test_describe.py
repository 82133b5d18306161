"""Which kind of thing a path is, and which options belong to it."""

import h5py
import numpy as np
import pytest
import zarr

from pacbed.analysis.report.inspection.describe import describe
from pacbed.errors import ParameterError, PatternError


def test_what_is_none_of_them_is_refused(tmp_path):
    with pytest.raises(ParameterError, match="that exists"):
        describe(tmp_path / "gone.pacbed")
    with pytest.raises(ParameterError, match=r"bundle\.json or stack\.zarr"):
        describe(tmp_path)
    with h5py.File(tmp_path / "empty.h5", "w"):
        pass
    with pytest.raises(PatternError, match="holds no image"):
        describe(tmp_path / "empty.h5")


@pytest.mark.parametrize(
    "option", [{"chosen": {"dataset": "0"}}, {"chosen": {"dataset": None, "frame": (1,)}}, {"out": "a.png"}]
)
def test_options_of_recordings_are_refused_elsewhere(tiny_bundle_file, parts, option):
    for path in (tiny_bundle_file, parts["stack_dir"], parts["stack_dir"] / "stack.zarr"):
        with pytest.raises(ParameterError, match=r"got .*accepted: this option with a recording"):
            describe(path, **option)


@pytest.mark.parametrize("name", ["scan.zarr", "of_any_name"])
def test_a_zarr_folder_is_a_scan_and_no_stack(camera, tmp_path, name):
    zarr.create_array(tmp_path / name, data=np.stack([camera()] * 2))
    first = describe(tmp_path / name)[0]
    assert first.startswith(f"scan {name}: 2 x 1 positions of 150 x 160 pixels (axes: scan y, scan x, y, x), float32")


@pytest.mark.parametrize(("name", "accepted"), [("a.jpg", r"ends in \.png"), ("there.png", "a new file")])
def test_a_picture_that_cannot_be_written_is_told_before_reading(tmp_path, name, accepted):
    (tmp_path / "there.png").write_text("mine")
    (tmp_path / "broken.npy").write_text("nothing")
    with pytest.raises(ParameterError, match=accepted):
        describe(tmp_path / "broken.npy", out=tmp_path / name)
    assert (tmp_path / "there.png").read_text() == "mine"


def test_the_picture_is_named_last(camera, tmp_path):
    np.save(tmp_path / "film.npy", camera())
    lines = describe(tmp_path / "film.npy", out=tmp_path / "film.pdf")
    assert lines[-1] == f"picture: {tmp_path / 'film.pdf'}"
    assert (tmp_path / "film.pdf").read_bytes().startswith(b"%PDF")
