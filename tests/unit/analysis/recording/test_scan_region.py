import numpy as np
import pytest

from pacbed.analysis.recording.metadata import read_step
from pacbed.analysis.recording.scan_region import region_mean
from pacbed.analysis.recording.stored import Axis
from pacbed.errors import ParameterError


@pytest.fixture
def scan(tmp_path):
    values = np.random.default_rng(1).poisson(9.0, (4, 5, 32, 32)).astype(np.uint16)
    np.save(tmp_path / "scan.npy", values)
    return values


def test_the_mean_of_a_part(scan, tmp_path):
    found = region_mean(tmp_path / "scan.npy", (slice(1, 3), slice(0, 2)))
    np.testing.assert_allclose(found, scan[1:3, :2].mean(axis=(0, 1)), rtol=1e-6)
    np.save(tmp_path / "series.npy", scan.reshape(20, 32, 32))
    again = region_mean(tmp_path / "series.npy", (slice(1, 3), slice(0, 2)), scan_shape=(4, 5))
    np.testing.assert_array_equal(again, found)


def test_a_part_beyond_the_scan_is_named(scan, tmp_path):
    with pytest.raises(ParameterError, match="vacuum_region: got '1:5,0:2', accepted: a part of the scan's 4 rows and"):
        region_mean(tmp_path / "scan.npy", (slice(1, 5), slice(0, 2)))


@pytest.mark.parametrize(
    ("axes", "step"),
    [
        ([Axis("y", "nm", 0.8), Axis("x", "nm", 0.8)], 0.8),
        ([Axis("y", "A", -5.0), Axis("x", "Å", 5.0)], 0.5),
        ([Axis("y", "µm", 0.001), Axis("x", "nm", 1.01)], 1.005),
        ([Axis("y", "nm", 0.8), Axis("x", "nm", 1.6)], None),
        ([Axis("y", "nm", 0.8), Axis("x", "", 1.0)], None),
        ([Axis("y", "nm", None), Axis("x", "nm", 0.8)], None),
        ([Axis("t", "s", 0.1)], None),
        ([], None),
    ],
)
def test_steps_of_a_scan_are_lengths_or_nothing(axes, step):
    assert read_step(axes) == (step if step is None else pytest.approx(step))
