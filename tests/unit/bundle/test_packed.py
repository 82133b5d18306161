"""Coefficients that went through small integers, against themselves."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import zarr

from pacbed.bundle.packed import BLOCK_PAIRS, LARGEST_INTEGER, PackedTable
from pacbed.errors import FormatError
from pacbed.simulation.table.codes import decode_coefficients


def test_packing_errs_by_a_fraction_of_its_step(tiny_table):
    """Rounding by the step in an orthonormal basis: an error of step / sqrt(12) where nothing is zero."""
    step = 3e-4
    packed = PackedTable.of(tiny_table, step)
    assert packed.step == step
    error = decode_coefficients(packed.table().codes) - decode_coefficients(tiny_table.codes)
    assert 0.05 * step < np.sqrt(np.mean(error**2)) < step / 12**0.5
    coarse = PackedTable.of(replace(tiny_table, codes=np.full_like(tiny_table.codes, -16383)), 1e-9)
    assert coarse.step > 1e-5  # integers stay inside 16 bits
    np.testing.assert_allclose(coarse.table().codes, -16383, atol=2)


def test_a_smaller_step_errs_less_and_takes_more_room(tiny_table):
    fine, coarse = (PackedTable.of(tiny_table, step) for step in (3e-4, 3e-3))
    exact = decode_coefficients(tiny_table.codes)

    def error(packed):
        return np.abs(decode_coefficients(packed.table().codes) - exact).mean()

    assert error(fine) < 0.3 * error(coarse)
    assert len(fine.packed) > len(coarse.packed)


def test_unpacking_is_the_inverse_cosine_transform(tiny_table):
    """One pair of coefficients by the textbook's sum."""
    packed = PackedTable.of(tiny_table, 1e-4)
    exact = decode_coefficients(tiny_table.codes).astype(float)
    planes, pair = len(exact), int(np.argmax(np.abs(exact).sum(axis=0)))
    index, column = np.arange(planes), exact[:, pair]
    integers = [
        round(
            (1 if k == 0 else 2**0.5) / planes**0.5 * np.sum(column * np.cos(np.pi * k * (2 * index + 1) / 2 / planes))
            / 1e-4
        )
        for k in index
    ]  # fmt: skip
    waves = [
        1e-4 * n * (1 if k == 0 else 2**0.5) / planes**0.5 * np.cos(np.pi * k * (2 * index + 1) / 2 / planes)
        for k, n in zip(index, integers, strict=True)
    ]
    found = decode_coefficients(packed.table().codes)[:, pair]
    # The codes that a table holds have steps of their own, finer for small coefficients.
    np.testing.assert_allclose(found, np.sum(waves, axis=0), atol=2e-4 * np.abs(column).max())


def test_a_last_block_that_is_not_full_and_blocks_of_zeros_come_back(tiny_table):
    pairs = 2 * BLOCK_PAIRS + 7
    codes = np.zeros((len(tiny_table.codes), pairs), dtype=np.int16)
    codes[:, -7:] = tiny_table.codes[:, :7]
    rows = np.array([[0, 0, 0, pairs]], dtype=np.int32)
    packed = PackedTable.of(replace(tiny_table, codes=codes, rows=rows), 1e-6)
    back = packed.table().codes
    assert not back[:, :-7].any()
    exact = decode_coefficients(codes[:, -7:])
    np.testing.assert_allclose(decode_coefficients(back[:, -7:]), exact, atol=1e-6)
    assert len(packed.packed) <= 7 * len(codes)


def test_integers_fit_sixteen_bits_whatever_the_step(tiny_table):
    packed = PackedTable.of(tiny_table, 1e-12)
    assert packed.packed.max() <= 65_535
    assert packed.step > 1e-12
    assert LARGEST_INTEGER < 2**15


@pytest.fixture
def stored(tiny_table, tmp_path):
    """A packed table in a Zarr group."""
    packed = PackedTable.of(tiny_table, 3e-4)
    packed.write(zarr.open_group(str(tmp_path / "packed"), mode="w", zarr_format=3))
    return packed


def test_a_packed_table_comes_back_from_its_group(stored, tmp_path):
    back = PackedTable.read(zarr.open_group(str(tmp_path / "packed"), mode="r"))
    assert back.step == stored.step
    table, expected = back.table(), stored.table()
    np.testing.assert_array_equal(table.codes, expected.codes)
    for name in ("rows", "beams", "reciprocal_mrad", "operations", "beam_group"):
        np.testing.assert_array_equal(getattr(table, name), getattr(expected, name))
    for name in ("steps", "facts", "cone_mrad", "field_mrad", "energy_ev", "thickness_max_nm", "plane_spacing_nm"):
        assert getattr(table, name) == getattr(expected, name), name


@pytest.mark.parametrize("name", ["packed", "occurs", "rows", "beams"])
def test_arrays_that_are_not_what_was_written_are_named(stored, tmp_path, name):
    group = zarr.open_group(str(tmp_path / "packed"), mode="r+")
    array = np.asarray(group[name])
    array.flat[0] += 1
    group[name][...] = array
    with pytest.raises(FormatError, match=f"{name} damaged"):
        PackedTable.read(group)


@pytest.mark.parametrize("name", ["step", "crc32", "table"])
def test_attributes_that_are_gone_are_missed(stored, tmp_path, name):
    group = zarr.open_group(str(tmp_path / "packed"), mode="r+")
    del group.attrs[name]
    with pytest.raises(FormatError, match="damaged or incomplete"):
        PackedTable.read(group)


def test_too_few_integers_are_refused(stored):
    with pytest.raises(FormatError, match=f"packed coefficients: got 5, accepted: {len(stored.packed)}"):
        replace(stored, packed=stored.packed[:5]).table()
