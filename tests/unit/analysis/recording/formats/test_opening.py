import numpy as np
import pytest
import tifffile

from pacbed.analysis.recording.formats.opening import one_line, open_images, readable
from pacbed.analysis.recording.pattern_file import read_pattern
from pacbed.errors import ParameterError, PatternError


def test_a_file_is_open_while_it_is_looked_at(tmp_path, image):
    tifffile.imwrite(tmp_path / "a.tif", image)
    with open_images(tmp_path / "a.tif") as (found,):
        np.testing.assert_array_equal(found.values, image)


def test_a_missing_file_is_named(tmp_path):
    with (
        pytest.raises(PatternError, match=r"file: got .*gone\.tif.*accepted: a file that exists"),
        open_images(tmp_path / "gone.tif"),
    ):
        pass


def test_a_name_that_no_file_can_have_is_one_line(tmp_path):
    with pytest.raises(PatternError, match=r"cannot be read \(OSError: .*File name too long"), open_images("x" * 300):
        pass
    (tmp_path / "loop.tif").symlink_to("loop.tif")
    with pytest.raises(PatternError, match=r"got .*loop\.tif"), open_images(tmp_path / "loop.tif"):
        pass


@pytest.mark.parametrize("suffix", ["mrc", "ser", "mib", "rpl", "tif", "h5", "xml", "dat"])
def test_a_file_without_a_byte_is_empty(tmp_path, suffix):
    (tmp_path / f"a.{suffix}").touch()
    with pytest.raises(PatternError, match=rf"a\.{suffix} is empty"), open_images(tmp_path / f"a.{suffix}"):
        pass


def test_arrays_without_elements_are_left_out_or_empty(tmp_path, image, write_mib):
    np.save(tmp_path / "a.npy", np.zeros((0, 64, 64)))
    np.savez(tmp_path / "a.npz", none=np.zeros((0, 64, 64)), film=image)
    cut = write_mib(image[None])
    cut.write_bytes(cut.read_bytes()[:384])
    for file, shape in ((tmp_path / "a.npy", "0 x 64 x 64"), (cut, "0 x 40 x 48")):
        with pytest.raises(PatternError, match=rf"is empty \({shape} values\)"), open_images(file):
            pass
    with open_images(tmp_path / "a.npz") as (found,):
        np.testing.assert_array_equal(found.values[...], image)


def test_any_error_of_a_reader_becomes_one_line(tmp_path):
    with pytest.raises(PatternError) as caught, readable(tmp_path / "a.ser"):
        raise IndexError("first\n  second")
    assert str(caught.value).endswith("cannot be read (IndexError: first second), accepted: a whole file")


def test_errors_of_ours_stay_as_they_are(tmp_path):
    error = ParameterError("frame: got 7")
    with pytest.raises(ParameterError) as caught, readable(tmp_path / "a.ser"):
        raise error
    assert caught.value is error


def test_an_array_that_is_too_large_is_one_line(tmp_path):
    with pytest.raises(PatternError, match=r"a\.npy: does not fit into memory"), readable(tmp_path / "a.npy"):
        np.zeros(2**50)


@pytest.mark.parametrize(
    ("error", "package"),
    [
        (ModuleNotFoundError("No module named 'skimage'", name="skimage"), "scikit-image"),
        (ModuleNotFoundError("No module named 'mrcz'", name="mrcz"), "mrcz"),
        (ValueError("<COMPRESSION.LZW: 5> requires the 'imagecodecs' package"), "imagecodecs"),
        (OSError("Can't read data (required filter 'bitshuffle' is not registered)"), "hdf5plugin"),
        (OSError("Can't synchronously read data (can't open directory (/usr/lib/hdf5/plugin))"), "hdf5plugin"),
    ],
)
def test_a_package_that_is_missing_is_named(tmp_path, error, package):
    text = rf"needs the package {package}, .*\(pip install {package}\)"
    with pytest.raises(PatternError, match=text), readable(tmp_path / "a.dat"):
        raise error


def test_an_error_of_many_lines_becomes_one():
    assert one_line(ValueError("first\n  second\tthird")) == "ValueError: first second third"
    assert len(one_line(ValueError("x" * 1000))) < 220


@pytest.mark.parametrize("suffix", [".prz", ".PRZ", ".Prz"])
def test_panta_rhei_in_any_letters(tmp_path, as_signal, image, suffix):
    from rsciio.pantarhei import file_writer

    axes = [("ky", 0.4, "1/nm", False), ("kx", 0.4, "1/nm", False)]
    file_writer(str(tmp_path / "written.prz"), as_signal(image, axes))
    (tmp_path / "written.prz").rename(tmp_path / f"film{suffix}")
    (tmp_path / "film.TXT").write_text("notes")
    np.testing.assert_array_equal(read_pattern(tmp_path / f"film{suffix}").array, image)


@pytest.mark.parametrize(("emi", "ser"), [("a.emi", "a_1.ser"), ("a.EMI", "a_1.SER"), ("a.emi", "a_1.SER")])
def test_tia_in_any_letters(tmp_path, write_ser, image, emi, ser):
    write_ser(image).rename(tmp_path / ser)
    (tmp_path / emi).write_bytes(b"JB<ObjectInfo><Note>film</Note></ObjectInfo>")
    np.testing.assert_array_equal(read_pattern(tmp_path / emi).array, image)
