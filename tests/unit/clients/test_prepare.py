"""Arrays as they travel."""

import io

import numpy as np
import pytest
from pacbed_client.errors import InputError
from pacbed_client.prepare import MOST_PIXELS, prepare


def slope(shape, dtype):
    """Different numbers in every pixel, as far as the kind of number goes."""
    return (np.arange(np.prod(shape)).reshape(shape) % 251).astype(dtype)


@pytest.mark.parametrize("dtype", ["u1", "<i2", ">u2", ">i4", "<u8", "<f2", ">f4", "<f8", np.longdouble])
def test_every_number_arrives_contiguous_and_little_endian(dtype):
    given = slope((40, 60), dtype).T[::-1, ::2]
    found = np.load(io.BytesIO(prepare(given).npy()), allow_pickle=False)
    assert found.flags.c_contiguous and found.dtype.newbyteorder("<") == found.dtype
    assert found.dtype.itemsize in (1, 2, 4, 8) and found.dtype.kind == given.dtype.kind
    np.testing.assert_array_equal(found, given)


@pytest.mark.parametrize(
    ("shape", "binning", "after"),
    [
        ((512, 512), 1, (512, 512)),
        ((513, 100), 2, (256, 50)),
        ((2048, 2048), 4, (512, 512)),
        ((1100, 1030), 3, (366, 343)),
    ],
)
def test_a_large_pattern_is_binned_and_it_is_said(shape, binning, after):
    given = np.random.default_rng(1).poisson(5e4, shape).astype(np.uint16)
    found = prepare(given)
    assert found.binning == binning and found.array.shape == after and max(after) <= MOST_PIXELS
    if binning == 1:
        assert found.note == "" and found.array.dtype == np.uint16
        return
    assert f"binned {binning} x {binning}: from {shape[0]} x {shape[1]} to {after[0]} x {after[1]}" in found.note
    for row, column in ((0, 0), (after[0] - 1, after[1] - 1), (7, 3)):
        block = given[row * binning : (row + 1) * binning, column * binning : (column + 1) * binning]
        assert found.array[row, column] == block.sum(dtype=np.int64)


@pytest.mark.parametrize("top", [200, 2**31, 2**40])
def test_sums_of_integers_do_not_overflow(top):
    given = slope((1024, 1024), np.int64) * (top // 250)
    given[:4, :4] = -top
    given[9, 9] = 2 * top  # one highest pixel: nothing is saturated
    found = prepare(given)
    assert found.array[0, 0] == -4 * top
    assert int(found.array.sum()) == int(given.sum())


def test_sums_of_floats_are_exact_enough():
    given = (slope((1024, 1024), np.float32) + np.float32(0.1)) * np.float32(1e5)
    given[9, 9] *= 100
    np.testing.assert_allclose(prepare(given).array[3, 4], given[6:8, 8:10].sum(dtype=float), rtol=1e-12)


def test_a_picture_that_may_be_saturated_is_sent_whole():
    given = np.random.default_rng(1).poisson(900, (1024, 1024)).astype(np.uint16)
    given[500:520, 500:520] = 4095
    found = prepare(given)
    assert found.binning == 1 and "400 pixels share the highest value" in found.note
    np.testing.assert_array_equal(found.array, given)
    given[500:520, 500:520] = 900
    given[0, :3] = 4095
    assert prepare(given).binning == 2


@pytest.mark.parametrize(
    ("array", "said"),
    [
        (np.zeros((3, 40, 40)), r"shape \(3, 40, 40\)"),
        (np.zeros((0, 40)), "shape"),
        (7.0, "shape"),
        ([["a"]], "integers or floats"),
        (np.ones((4, 4), complex), "complex"),
        (np.ones((4, 4), bool), "bool"),
        (np.full((4, 4), np.nan), "16 pixels that are NaN or infinite"),
        (np.array([[1.0, np.inf]]), "1 pixels that are NaN or infinite"),
        (np.ma.masked_less(np.arange(4.0).reshape(2, 2), 1), "masked"),
    ],
)
def test_what_is_no_pattern_is_refused(array, said):
    with pytest.raises(InputError, match=f"pattern: got .*{said}"):
        prepare(array)
