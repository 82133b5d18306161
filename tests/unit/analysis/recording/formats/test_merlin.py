import numpy as np
import pytest

from pacbed.analysis.recording.formats.merlin import read_merlin


@pytest.mark.parametrize(
    ("per_line", "total", "shape"), [(5, 15, (3, 5)), (3, 15, (5, 3)), (1, 15, (15,)), (None, None, (15,))]
)
def test_lines_are_stated_or_there_are_none(write_mib, scan, per_line, total, shape):
    (found,) = read_merlin(write_mib(scan.reshape(15, 32, 40), per_line, total))
    assert found.shape == (*shape, 32, 40)
    np.testing.assert_array_equal(np.asarray(found.values).reshape(scan.shape), scan)


def test_an_interrupted_scan_keeps_its_complete_lines(write_mib, scan):
    (found,) = read_merlin(write_mib(scan.reshape(15, 32, 40), per_line=4, total=40))
    assert found.shape == (3, 4, 32, 40)
    np.testing.assert_array_equal(np.asarray(found.values)[2, 1], scan.reshape(15, 32, 40)[9])
