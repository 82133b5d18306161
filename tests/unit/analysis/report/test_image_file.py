import imageio.v3 as iio
import numpy as np
import pytest
import tifffile

from pacbed.analysis.report.image_file import SUFFIXES, write_image
from pacbed.errors import ParameterError

IMAGE = np.random.default_rng(4).random((12, 17)).astype(np.float32) * 1e-4


@pytest.mark.parametrize("name", ["a.npy", "a.tif", "a.tiff", "A.TIF"])
def test_values_survive(tmp_path, name):
    write_image(IMAGE, tmp_path / "new" / name)
    read = np.load if name.endswith("npy") else tifffile.imread
    again = read(tmp_path / "new" / name)
    np.testing.assert_array_equal(again, IMAGE)
    assert again.dtype == np.float32
    assert [path.name for path in (tmp_path / "new").iterdir()] == [name]


def test_a_picture_holds_levels_of_the_maximum(tmp_path):
    write_image(IMAGE, tmp_path / "a.png")
    levels = iio.imread(tmp_path / "a.png")
    assert levels.dtype == np.uint16
    assert levels.max() == 65535
    np.testing.assert_allclose(levels * (IMAGE.max() / 65535), IMAGE, atol=0.51 * IMAGE.max() / 65535)


def test_a_dark_picture_is_dark(tmp_path):
    write_image(np.zeros((5, 5), np.float32), tmp_path / "a.png")
    assert not iio.imread(tmp_path / "a.png").any()


@pytest.mark.parametrize("name", ["a.jpg", "a", "a.npz"])
def test_other_files_are_refused_and_nothing_is_written(tmp_path, name):
    with pytest.raises(ParameterError, match="out: got") as caught:
        write_image(IMAGE, tmp_path / name)
    assert all(suffix in str(caught.value) for suffix in SUFFIXES)
    assert not list(tmp_path.iterdir())


def test_an_older_file_is_replaced(tmp_path):
    (tmp_path / "a.npy").write_bytes(b"old")
    write_image(IMAGE, str(tmp_path / "a.npy"))
    np.testing.assert_array_equal(np.load(tmp_path / "a.npy"), IMAGE)
