import subprocess
import sys

import h5py
import numpy as np
import pytest
import tifffile

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


def test_libraries_are_silent_about_damage(tmp_path):
    """On either stream: a program reads the results from standard output."""
    tifffile.imwrite(tmp_path / "a.tif", np.arange(4096, dtype=np.uint16).reshape(64, 64))
    content = (tmp_path / "a.tif").read_bytes()
    (tmp_path / "a.tif").write_bytes(content[:50] + bytes(40) + content[90:])
    (tmp_path / "a.xml").write_text("<root><raw_file/></root>")
    code = (
        "import sys; from pacbed.analysis.recording.pattern_file import read_pattern\n"
        "for name in sys.argv[1:]:\n"
        "    try: read_pattern(name)\n"
        "    except ValueError: pass\n"
    )
    command = [sys.executable, "-W", "ignore", "-c", code, str(tmp_path / "a.tif"), str(tmp_path / "a.xml")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
