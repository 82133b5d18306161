"""Held-out series: which ones, and that they arrive unchanged."""

from __future__ import annotations

import numpy as np
import pytest
import zarr

from pacbed.bundle.sample import write_sample


@pytest.fixture(scope="module")
def sample(parts, tmp_path_factory):
    """The sample of the stack: pixels, and the group."""
    target = tmp_path_factory.mktemp("sample") / "validation.zarr"
    pixels = write_sample(parts["stack_dir"], target)
    return pixels, zarr.open_group(str(target), mode="r")


@pytest.fixture(scope="module")
def stack(parts):
    return zarr.open_group(str(parts["stack_dir"] / "stack.zarr"), mode="r")


def test_series_are_those_of_the_stack_with_their_labels(sample, stack):
    pixels, group = sample
    assert pixels == 32
    labels = [np.asarray(group[name]) for name in ("convergence_mrad", "mistilt_mrad", "azimuth_deg")]
    for number, (convergence, mistilt, azimuth) in enumerate(zip(*labels, strict=True)):
        i = int(np.argmin(np.abs(np.asarray(stack["convergence_mrad"]) - convergence)))
        apart = np.abs(np.asarray(stack["mistilt_mrad"]) - mistilt)
        j = int(np.argmin(apart + np.abs(np.asarray(stack["azimuth_deg"]) - azimuth)))
        assert np.asarray(stack["split"])[i, j] == 1, "held out of training"
        np.testing.assert_array_equal(np.asarray(group["pattern"][number]), np.asarray(stack["pattern"][i, j]))


def test_axes_and_scale_are_those_of_the_stack(sample, stack):
    _, group = sample
    for name in ("thickness_nm", "ky_mrad", "kx_mrad"):
        np.testing.assert_array_equal(np.asarray(group[name]), np.asarray(stack[name]))
    for name in ("scale_factor", "units"):
        assert group["pattern"].attrs[name] == stack["pattern"].attrs[name]
    assert group["pattern"].metadata.dimension_names == ("series", "thickness_nm", "ky_mrad", "kx_mrad")


def test_no_series_is_taken_twice(sample):
    _, group = sample
    columns = [np.asarray(group[name]) for name in ("convergence_mrad", "mistilt_mrad", "azimuth_deg")]
    assert len(np.unique(np.stack(columns), axis=1).T) == len(columns[0]) <= 3
