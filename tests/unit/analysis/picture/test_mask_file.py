import imageio.v3 as iio
import numpy as np
import pytest
from PIL import Image

from pacbed.analysis.picture.mask_file import mask_name, read_mask
from pacbed.errors import PacbedError, ParameterError, PatternError

STOP = np.zeros((40, 50), dtype=np.uint8)
STOP[:20, 22:28] = 255


def test_masks_of_several_formats_are_one(tmp_path):
    iio.imwrite(tmp_path / "mask.png", STOP)
    np.save(tmp_path / "numbers.npy", STOP)
    np.save(tmp_path / "truth.npy", STOP > 0)
    np.savez(tmp_path / "truth.npz", stop=STOP > 0)
    for name in ("bits.png", "bits.tif"):  # as image programs write them
        Image.fromarray(STOP > 0).save(tmp_path / name)
    files = [tmp_path / name for name in ("mask.png", "numbers.npy", "truth.npz", "bits.png", "bits.tif")]
    for mask in (*files, str(tmp_path / "truth.npy"), STOP, STOP > 0):
        np.testing.assert_array_equal(read_mask(mask, (40, 50)), STOP > 0)


def test_a_mask_of_another_shape_is_refused(tmp_path):
    np.save(tmp_path / "mask.npy", STOP)
    with pytest.raises(ParameterError, match=r"mask: got 'mask.npy of shape \(40, 50\)', accepted: .* \(64, 64\)"):
        read_mask(tmp_path / "mask.npy", (64, 64))


def test_a_mask_may_hide_nothing(tmp_path):
    """As those of a series do where there is nothing to hide."""
    iio.imwrite(tmp_path / "none.png", np.zeros_like(STOP))
    assert not read_mask(tmp_path / "none.png", (40, 50)).any()


def test_a_mask_that_leaves_nothing_is_refused():
    with pytest.raises(ParameterError, match="100 % of it not zero"):
        read_mask(np.ones((40, 50)), (40, 50))


def test_a_mask_that_cannot_be_read_is_named(tmp_path):
    (tmp_path / "broken.png").write_bytes(b"nothing")
    (tmp_path / "broken.npy").write_bytes(b"nothing")
    for name in ("broken.png", "broken.npy", "absent.tif", "absent.npy"):
        with pytest.raises(PatternError, match=r"^mask: ") as error:
            read_mask(tmp_path / name, (40, 50))
        assert "\n" not in str(error.value)
        assert isinstance(error.value, PacbedError)


def test_names():
    assert (mask_name("folder/stop.png"), mask_name(STOP)) == ("stop.png", "array")
