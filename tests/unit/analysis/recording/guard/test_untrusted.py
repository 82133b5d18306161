import h5py
import numpy as np
import pytest

from pacbed.analysis.recording.guard import sizes
from pacbed.analysis.recording.guard.untrusted import check_untrusted
from pacbed.errors import PatternError


def test_both_references_and_sizes_are_looked_at(tmp_path, monkeypatch):
    with h5py.File(tmp_path / "a.h5", "w") as store:
        store["x"] = h5py.ExternalLink("/elsewhere.h5", "x")
    with pytest.raises(PatternError, match="own folder only"):
        check_untrusted(tmp_path / "a.h5")
    np.savez(tmp_path / "a.npz", a=np.zeros((40, 40)))
    check_untrusted(tmp_path / "a.npz")
    monkeypatch.setattr(sizes, "LARGEST_ARCHIVED", 1000)
    with pytest.raises(PatternError, match=r"a\.npz, a\.npy: got an array of 40 x 40"):
        check_untrusted(tmp_path / "a.npz")
