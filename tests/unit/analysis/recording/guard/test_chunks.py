import zlib

import h5py
import numpy as np
import pytest

from pacbed.analysis.recording.guard import chunks
from pacbed.analysis.recording.guard.chunks import check_chunks, check_hdf5_chunks
from pacbed.analysis.recording.guard.untrusted import check_untrusted
from pacbed.errors import PatternError


def write_bomb(file, length=20_000):
    """Zeros that pack a thousandfold, in one chunk."""
    with h5py.File(file, "w") as store:
        shape = (length, 192, 192)
        data = store.create_dataset("film/data", shape, np.uint16, chunks=shape, compression="gzip")
        packer = zlib.compressobj(1)
        packed = [packer.compress(bytes(192 * 192 * 2 * 100)) for _ in range(length // 100)]
        data.id.write_direct_chunk((0, 0, 0), b"".join(packed) + packer.flush())
    return file


def test_a_packed_chunk_of_gigabytes_is_refused_with_a_remedy(tmp_path):
    with pytest.raises(PatternError) as caught:
        check_untrusted(write_bomb(tmp_path / "a.h5"))
    assert str(caught.value) == (
        f"{tmp_path / 'a.h5'}, film/data: got chunks of 1.4 GiB, each unpacked as a whole, accepted: chunks of at most "
        "1 GiB, best of one pattern; h5repack -l film/data:CHUNK=1x192x192 writes such a file"
    )


def test_chunks_are_looked_at_in_every_file_that_is_reached(tmp_path):
    write_bomb(tmp_path / "frames.h5")
    with h5py.File(tmp_path / "a.h5", "w") as store:
        store["data"] = h5py.ExternalLink("frames.h5", "/film/data")
    with pytest.raises(PatternError, match=r"a\.h5, film/data: got chunks"):
        check_hdf5_chunks(tmp_path / "a.h5")


def test_what_is_read_in_parts_is_let_through(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as store:
        store.create_dataset("whole", (40_000, 192, 192), np.uint16, chunks=(40_000, 192, 192))
        store.create_dataset("packed", (40_000, 192, 192), np.uint16, chunks=(1, 192, 192), compression="gzip")
        store.create_dataset("flat", (40_000, 192, 192), np.uint16)
    check_hdf5_chunks(tmp_path / "a.h5")
    np.save(tmp_path / "a.npy", np.zeros((40, 40)))
    check_hdf5_chunks(tmp_path / "a.npy")


def test_the_limit_counts_bytes(monkeypatch):
    class Values:
        chunks, dtype = (2, 32, 32), np.dtype(np.uint16)

    monkeypatch.setattr(chunks, "LARGEST_CHUNK", 4096)
    check_chunks(Values, "film")
    monkeypatch.setattr(chunks, "LARGEST_CHUNK", 4095)
    with pytest.raises(PatternError, match=r"film: got chunks of 0\.0 GiB"):
        check_chunks(Values, "film")
