"""Square-root codes of intensities and of coefficients."""

from __future__ import annotations

import numpy as np
import pytest

from pacbed.simulation.table.codes import SCALE, decode, decode_coefficients, encode, encode_columns


def test_intensities_keep_half_a_code_of_their_root():
    values = np.concatenate([[0.0, 1.0], np.geomspace(1e-9, 1, 500)])
    assert np.max(np.abs(np.sqrt(decode(encode(values))) - np.sqrt(values))) < 0.51 / 65535
    np.testing.assert_array_equal(decode(encode(np.array([0.0, 1.0]))), [0.0, 1.0])


def test_every_code_comes_back():
    codes = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    np.testing.assert_array_equal(encode(decode(codes)), codes)


def test_what_is_no_intensity_is_clipped():
    np.testing.assert_array_equal(encode(np.array([-0.3, 1.7, -1e-12])), [0, 65535, 0])


def test_chosen_columns_are_coded():
    intensity = np.random.default_rng(1).uniform(size=(4, 9)).astype(np.float32)
    codes = np.full((4, 3), 7, dtype=np.uint16)
    encode_columns(intensity, np.array([8, 0, 3]), codes)
    np.testing.assert_array_equal(codes, encode(intensity[:, [8, 0, 3]]))


@pytest.mark.parametrize("shape", [(7,), (2, 3), (2, 3, 4), (0, 5)])
def test_coefficients_have_their_sign(shape):
    codes = np.random.default_rng(2).integers(-32768, 32768, shape).astype(np.int16)
    found = decode_coefficients(codes)
    expected = np.sign(codes.astype(float)) * (codes.astype(float) / 16383) ** 2
    assert found.dtype == np.float32
    assert found.shape == shape
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    np.testing.assert_allclose(SCALE * codes.astype(float) * np.abs(codes.astype(float)), expected, rtol=1e-6)


def test_the_largest_coefficient_is_four():
    assert decode_coefficients(np.array([32767, -32767], dtype=np.int16)) == pytest.approx([4.0, -4.0], rel=1e-3)
