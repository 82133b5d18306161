"""Directions as bins: labels that know how sure they can be, and what is read back from them."""

from __future__ import annotations

import numpy as np
import pytest

from pacbed.networks.azimuth import BINS, VECTOR_ERROR_MRAD, azimuth_labels, circular_std, mean_direction


def vectors(size, azimuth):
    return size * np.stack([np.cos(azimuth), np.sin(azimuth)], axis=-1)


def test_labels_are_probabilities_around_the_direction():
    azimuth = np.array([0.0, 1.0, -2.5, np.pi])
    labels = azimuth_labels(vectors(3.0, azimuth))
    assert (labels.shape, labels.dtype) == ((4, BINS), np.float32)
    np.testing.assert_allclose(labels.sum(axis=1), 1.0, rtol=1e-5)
    turned = mean_direction(labels) * np.exp(-1j * azimuth)
    np.testing.assert_allclose(np.angle(turned), 0.0, atol=1e-3)


def test_no_mistilt_has_no_direction():
    np.testing.assert_allclose(azimuth_labels(np.zeros((1, 2))), 1 / BINS, rtol=1e-5)


def test_labels_are_as_sure_as_the_vector_is_long():
    """Of a mistilt m the direction has the standard error VECTOR_ERROR_MRAD / m."""
    labels = azimuth_labels(vectors(np.array([[1.0], [1.6], [5.0], [9.0]]), np.full(4, 0.4)))
    std = circular_std(mean_direction(labels))
    np.testing.assert_allclose(std[:2], VECTOR_ERROR_MRAD / np.array([1.0, 1.6]), rtol=0.12)
    assert std[2] == pytest.approx(std[3]) == pytest.approx(0.2, rel=0.05)  # no narrower than the bins


def test_circular_spread_of_what_is_nowhere_is_large():
    assert circular_std(np.array(0j)) > 4
    assert circular_std(np.array(1.0 + 0j)) == 0
