import sys

import numpy as np
import pytest

from pacbed.analysis.recording.formats.containers.dectris import JoinedFrames
from pacbed.analysis.recording.mapped import give_back


def resident_mb():
    """Memory of this process that is in use [MB]."""
    with open("/proc/self/statm", encoding="ascii") as stream:
        return int(stream.read().split()[1]) * 4096 / 1e6


@pytest.fixture
def file(tmp_path):
    np.save(tmp_path / "scan.npy", np.ones((60, 1000, 1000), np.uint8))
    return tmp_path / "scan.npy"


@pytest.mark.skipif(sys.platform != "linux", reason="where a process says what it uses")
@pytest.mark.parametrize("joined", [False, True])
def test_what_was_read_is_given_back(file, joined):
    mapped = np.load(file, mmap_mode="r")
    values = JoinedFrames([mapped[:30], mapped[30:]]) if joined else mapped.reshape(6, 10, 1000, 1000)
    start = resident_mb()
    total = sum(int(mapped[index].sum(dtype=np.int64)) for index in range(60))
    assert resident_mb() > start + 40
    give_back(values)
    assert resident_mb() < start + 20
    assert total == 60_000_000 and int(mapped[59].sum(dtype=np.int64)) == 1_000_000


@pytest.mark.parametrize("values", [np.ones(3), [1, 2], None])
def test_other_arrays_are_left_alone(values):
    give_back(values)
