"""A short run of the fuzz (benchmarks/fuzz.py): whatever a file holds, it is read or refused in one line."""

import gc
import runpy
from pathlib import Path

import numpy as np
import pytest

from pacbed.analysis.recording.pattern_file import read_pattern
from pacbed.analysis.recording.scan_file import open_scan
from pacbed.errors import PatternError

# Of the readers' libraries, which the command line keeps to itself as well.
pytestmark = pytest.mark.filterwarnings("ignore")
FILES = runpy.run_path(str(Path(__file__).parents[4] / "benchmarks" / "fuzz_files.py"))
CASES = 150
READ = ("bmp", "dm3", "emd", "h5", "hspy", "jpg", "mrc", "npy", "nxs", "png", "png rgb", "png 16 bit", "rpl", "tif")
SCANS = ("h5 scan", "hspy scan", "mib", "tif stack", "tvips", "zarr")


@pytest.fixture(autouse=True)
def collected():
    """Files that readers leave open after an error are closed while their warnings are still ignored."""
    yield
    gc.collect()


@pytest.fixture(scope="module")
def pattern():
    """A disk with fringes."""
    radius = np.hypot(*np.mgrid[-32:32, -31:33])
    return np.random.default_rng(0).poisson(300 * (radius < 20) * (1.2 + np.cos(radius)) + 20).astype(np.uint16)


@pytest.mark.parametrize("kind", READ)
def test_intact_files_are_read(pattern, tmp_path, kind):
    """Otherwise the damaged ones would test nothing."""
    array = read_pattern(FILES["intact_case"](kind, tmp_path, pattern).path).array
    assert array.shape == pattern.shape
    assert np.corrcoef(array.ravel(), pattern.ravel())[0, 1] > 0.99


@pytest.mark.parametrize("kind", SCANS)
def test_intact_scans_are_opened(pattern, tmp_path, kind):
    with open_scan(FILES["intact_case"](kind, tmp_path, pattern).path) as scan:
        np.testing.assert_array_equal(np.sort(scan.mean(0, 0, 1), axis=None), np.sort(pattern, axis=None))


def test_damaged_files_are_read_or_refused_in_one_line(pattern, tmp_path):
    outcomes = []
    for number in range(CASES):
        folder = tmp_path / str(number)
        folder.mkdir()
        case = FILES["make_case"](number, folder, pattern)
        for read in (read_pattern, first_window):
            try:
                read(case.path)
                outcomes.append("read")
            except PatternError as error:
                outcomes.append("refused" if str(error).isprintable() else str(error))
    assert set(outcomes) == {"read", "refused"}
    assert 20 < outcomes.count("read") < CASES


def first_window(path):
    with open_scan(path) as scan:
        scan.windows(1)


def test_a_case_can_be_made_again(pattern, tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    first, second = (FILES["make_case"](7, tmp_path / name, pattern) for name in ("one", "two"))
    assert first[1:] == second[1:] and first.path.name == second.path.name
    if first.path.is_file():
        assert first.path.read_bytes() == second.path.read_bytes()
