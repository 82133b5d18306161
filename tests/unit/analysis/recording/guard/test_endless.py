import os
import subprocess
import sys
import time

import h5py
import numpy as np
import pytest

from pacbed.analysis.recording.guard import endless
from pacbed.analysis.recording.guard.endless import check_ends
from pacbed.errors import PatternError

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="no process can be copied")
HEAP, HEAP_HEADER, HEAP_BYTES = b"GCOL", 16, 4096  # global heap of HDF5, where strings of any length lie


def heap_of_zeros(file):
    """An object of no length in the heap of strings: the library steps by its length, on and on."""
    with h5py.File(file, "w") as store:
        store.attrs["file_format"] = "HyperSpy"
        store["film"] = np.zeros((40, 40), np.uint16)
    content = bytearray(file.read_bytes())
    begin = content.index(HEAP)
    content[begin + HEAP_HEADER : begin + HEAP_BYTES] = bytes(HEAP_BYTES - HEAP_HEADER)
    file.write_bytes(content)
    return file


def test_a_file_that_the_library_reads_for_ever_is_refused(tmp_path):
    with pytest.raises(PatternError, match=r"loop\.h5 cannot be read \(the HDF5 library does not come to an end"):
        check_ends(heap_of_zeros(tmp_path / "loop.h5"), cpu_s=1)


def test_what_it_reaches_is_looked_at_as_well(tmp_path):
    heap_of_zeros(tmp_path / "loop.h5")
    with h5py.File(tmp_path / "master.h5", "w") as store:
        store["film"] = h5py.ExternalLink("loop.h5", "film")
    with pytest.raises(PatternError, match=r"master\.h5 cannot be read"):
        check_ends(tmp_path / "master.h5", cpu_s=1)


def test_a_crash_of_the_library_is_one_line(tmp_path, monkeypatch):
    with h5py.File(tmp_path / "a.h5", "w") as store:
        store["film"] = np.zeros((40, 40), np.uint16)
    monkeypatch.setattr(endless, "_walk", lambda store: os.abort())
    with pytest.raises(PatternError, match="the HDF5 library crashes at it"):
        check_ends(tmp_path / "a.h5")


def test_a_disk_that_never_answers_is_given_up(tmp_path, monkeypatch):
    with h5py.File(tmp_path / "a.h5", "w") as store:
        store["film"] = np.zeros((40, 40), np.uint16)
    monkeypatch.setattr(endless, "WAIT_S", 1)
    monkeypatch.setattr(endless, "_walk", lambda store: time.sleep(30))
    with pytest.raises(PatternError, match="does not come to an end"):
        check_ends(tmp_path / "a.h5")


def test_files_that_end_are_let_through(tmp_path):
    """Whatever else is wrong with them is for their readers to say."""
    with h5py.File(tmp_path / "a.h5", "w") as store:
        store.create_dataset("film", data=np.zeros((4, 40, 40), np.uint16), chunks=(1, 40, 40)).attrs["unit"] = "mrad"
        store["empty"], store["none"], store["one"] = np.zeros((0, 3)), h5py.Empty("f4"), 1.0
    content = (tmp_path / "a.h5").read_bytes()
    (tmp_path / "short.h5").write_bytes(content[: len(content) // 2])
    with h5py.File(tmp_path / "out.h5", "w") as store:
        store["film"] = h5py.ExternalLink("/elsewhere.h5", "film")
    (tmp_path / "text.h5").write_text("nothing")
    for name in ("a.h5", "short.h5", "out.h5", "text.h5", "missing.h5"):
        check_ends(tmp_path / name)
    check_ends(tmp_path)


def test_the_process_that_looks_leaves_no_trace(tmp_path):
    """Neither words nor a second run of what the program does at its end."""
    with h5py.File(tmp_path / "a.h5", "w") as store:
        store["film"] = np.zeros((40, 40), np.uint16)
    code = (
        "import atexit, sys; atexit.register(print, 'end')\n"
        "from pacbed.analysis.recording.guard.endless import check_ends\n"
        "print('begin'); check_ends(sys.argv[1])"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path / "a.h5")], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "begin\nend\n", "")
