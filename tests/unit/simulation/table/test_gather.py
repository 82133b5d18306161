"""Joining blocks: the compiled filter against a plain one, and what is refused while samples are read."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import correlate1d

from pacbed.errors import FormatError, SimulationError
from pacbed.simulation.table import block_file
from pacbed.simulation.table.codes import decode, decode_coefficients
from pacbed.simulation.table.coefficient_kernels import TILE, bands, orbit_coefficients, sort_pairs
from pacbed.simulation.table.gather import gather_rocking_table
from pacbed.simulation.table.rocking_block import simulate_rocking_block
from pacbed.simulation.table.rocking_table import RockingTable
from pacbed.simulation.table.spline import PREFILTER, PREFILTER_REACH, plane_matrix


@pytest.fixture(scope="module")
def block(srtio3_slices, tmp_path_factory):
    folder = tmp_path_factory.mktemp("block")
    srtio3_slices.save(folder)
    simulate_rocking_block(
        folder,
        block=0,
        blocks=1,
        thickness_max_nm=3.0,
        cone_mrad=8.0,
        field_mrad=14.0,
        direction_pitch_mrad=1.0,
        propagator="exact",
        batch=16,
        out_dir=folder / "0",
    )
    return folder / "0"


def changed(block, folder, intensity):
    """A copy of a block with other samples."""
    folder.mkdir()
    (folder / "grid.json").write_text((block / "grid.json").read_text())
    with np.load(block / "block.npz") as arrays:
        np.savez(folder / "block.npz", **{**arrays, "intensity": intensity(arrays["intensity"])})
    return folder


def coefficients(samples, source, picked):
    """Decoded coefficients of the compiled filter, shape (coefficient, node), and its largest code."""
    matrix = plane_matrix(len(samples)).astype(np.float32)
    values = np.empty((len(picked) // TILE + 1, len(samples), TILE), dtype=np.float32)
    codes = np.zeros((len(matrix), len(picked)), dtype=np.int16)
    target = np.arange(len(picked), dtype=np.int32)
    largest = orbit_coefficients(samples, source, picked, target, matrix, bands(matrix), values, codes)
    return decode_coefficients(codes), largest


@pytest.mark.parametrize("planes", [1, 2, 3, 7, 60])
def test_coefficients_are_those_of_a_plain_filter(planes):
    rng = np.random.default_rng(planes)
    box, margin = (37, 41), PREFILTER_REACH
    source = rng.permutation(box[0] * box[1]).astype(np.int32).reshape(box)
    source[rng.random(box) < 0.1] = -1
    samples = rng.integers(0, 14_000, (planes, source.size)).astype(np.uint16)
    inner = (box[0] - 2 * margin, box[1] - 2 * margin)
    picked = np.flatnonzero(rng.random(inner) < 0.8).astype(np.int32)
    dense = np.where(source < 0, 0.0, decode(samples).astype(float)[:, source])
    for axis in (1, 2):
        dense = correlate1d(dense, PREFILTER, axis=axis, mode="constant")
    inside = dense[:, margin:-margin, margin:-margin].reshape(planes, -1)
    expected = plane_matrix(planes) @ inside[:, picked]
    got, largest = coefficients(samples, source, picked)
    assert len(picked) > 2 * TILE
    assert expected.min() < -1e-3
    roots = [np.copysign(np.sqrt(np.abs(values)), values) for values in (got, expected)]
    assert np.abs(roots[0] - roots[1]).max() < 1 / 16383  # half a code, and what single precision adds near zero
    assert largest == pytest.approx(16383 * np.sqrt(np.abs(expected).max()), rel=1e-5)


def test_a_band_leaves_nothing_out_that_single_precision_sees():
    matrix = plane_matrix(100)
    planes, band = np.arange(100), bands(matrix)
    outside = (planes < band[:, :1]) | (planes >= band[:, 1:])
    assert np.abs(matrix * outside).sum(axis=1).max() < 2**-24
    assert np.diff(band).max() < 48


def test_sorting_moves_columns():
    chunk = np.arange(12, dtype=np.uint16).reshape(2, 6)
    rank = np.array([3, 0, 5, 1, 2, 4], dtype=np.int32)
    out = np.empty_like(chunk)
    sort_pairs(chunk, rank, out)
    np.testing.assert_array_equal(out[:, rank], chunk)


def test_table_does_not_depend_on_how_much_is_read_at_once(block, tmp_path, monkeypatch):
    gather_rocking_table([block], tmp_path / "whole")
    monkeypatch.setattr(block_file, "CHUNK_BYTES", 1)
    gather_rocking_table([block], tmp_path / "planes", threads=3)
    whole, planes = (RockingTable.load(tmp_path / name) for name in ("whole", "planes"))
    np.testing.assert_array_equal(whole.codes, planes.codes)


def test_samples_that_are_no_intensities_are_refused(block, tmp_path):
    def alternate(samples):
        return np.where(np.arange(len(samples))[:, None] % 2, 65535, 0).astype(np.uint16) * np.ones_like(samples)

    with pytest.raises(SimulationError, match=r"spline coefficients: got \d.*, accepted: -4 to 4"):
        gather_rocking_table([changed(block, tmp_path / "0", alternate)], tmp_path / "table")
    assert not (tmp_path / "table").exists()


@pytest.mark.parametrize("intensity", [np.asfortranarray, lambda samples: samples.astype(np.float32)])
def test_samples_in_another_form_are_refused(block, tmp_path, intensity):
    with pytest.raises(FormatError, match="accepted: uint16 in rows of planes"):
        gather_rocking_table([changed(block, tmp_path / "0", intensity)], tmp_path / "table")


def test_a_flipped_bit_among_the_samples_is_found(block, tmp_path):
    folder = changed(block, tmp_path / "0", lambda samples: samples)
    content = bytearray((folder / "block.npz").read_bytes())
    content[len(content) // 3] ^= 1
    (folder / "block.npz").write_bytes(content)
    with pytest.raises(FormatError, match=r"block .*0: damaged or incomplete"):
        gather_rocking_table([folder], tmp_path / "table")
    assert not (tmp_path / "table").exists()
