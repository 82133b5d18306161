"""Zarr stores that ask for code, for foreign types, or for more memory than they say, are refused."""

import json

import numpy as np
import pytest
import zarr

from pacbed.bundle.gate.arrays import check_arrays
from pacbed.errors import FormatError

STORE = "rocking.zarr"


class Folder:
    """Members of a folder, as a bundle gives them."""

    def __init__(self, path):
        self.path = path

    def check(self):
        names = sorted(file.relative_to(self.path).as_posix() for file in self.path.rglob("*") if file.is_file())
        check_arrays(names, self.read, self.starts, store=STORE)

    def read(self, name):
        return (self.path / name).read_bytes()

    def starts(self, names, count):
        return ((name, self.read(name)[:count]) for name in names)

    def change(self, name="a", **fields):
        """Change fields of an array's metadata."""
        file = self.path / STORE / name / "zarr.json"
        file.write_text(json.dumps({**json.loads(file.read_text()), **fields}))


def codec(cname="zstd", size=4):
    """Blosc as `pacbed.bundle.packed` uses it."""
    return zarr.codecs.BloscCodec(cname=cname, clevel=7, shuffle="shuffle", typesize=size)


@pytest.fixture
def store(tmp_path):
    """Arrays of every kind that bundles hold."""
    group = zarr.open_group(tmp_path / STORE, mode="w")
    values = np.arange(60, dtype=np.int32).reshape(6, 10)
    group.create_array("a", data=values, chunks=(4, 10), compressors=codec())
    group.create_array("b", data=values * 0.5, chunks=(6, 3))  # Zstandard by default
    group.create_array("c", data=np.zeros(1000, dtype=np.uint8), chunks=(300,), compressors=codec("lz4", 1))
    group.create_array("none", data=values, compressors=None)
    checked = (codec(), zarr.codecs.Crc32cCodec())
    group.create_group("level_0").create_array("checked", data=values, compressors=checked)
    group.create_array("large", data=np.random.default_rng(1).random(70_000), chunks=(70_000,))
    group.create_array("single", data=np.float64(3.0))
    return Folder(tmp_path)


def test_arrays_as_bundles_hold_them_pass(store):
    store.check()


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"zarr_format": 2}, "Zarr format 3"),
        ({"node_type": "link"}, "Zarr format 3"),
        ({"codecs": [{"name": "bytes"}, {"name": "pickle"}]}, "codec 'pickle'"),
        ({"codecs": [{"name": "bytes"}, {"name": "numcodecs.pickle"}]}, "codec 'numcodecs.pickle'"),
        ({"codecs": [{"name": "sharding_indexed", "configuration": {}}]}, "codec 'sharding_indexed'"),
        ({"codecs": [{"name": "vlen-utf8"}]}, "codec 'vlen-utf8'"),
        ({"codecs": [{"name": "zstd"}]}, "bytes first"),
        ({"codecs": [{"name": "bytes"}, {"name": "zstd"}, {"name": "zstd"}]}, "one compressor"),
        ({"codecs": [{"name": "bytes"}, {"name": "blosc", "configuration": {"cname": "exec"}}]}, "codec 'exec'"),
        ({"codecs": [{"name": "bytes"}, {"name": "blosc"}]}, "codec 'None'"),
        ({"codecs": 3}, "damaged metadata"),
        ({"data_type": "string"}, "values of type 'string'"),
        ({"data_type": {"name": "struct"}}, "values of type"),
        ({"shape": [6, -10]}, "damaged metadata"),
        ({"shape": [6, True]}, "damaged metadata"),
        ({"shape": [6]}, "1 axes"),
        ({"shape": [2**40, 10]}, "at most"),
        ({"shape": [2**70, 10]}, "at most"),
        ({"chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [4, 11]}}}, "chunks within the array"),
        ({"chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [0, 10]}}}, "damaged metadata"),
        ({"chunk_grid": {"name": "rectangular", "configuration": {"chunk_shape": [4, 10]}}}, "regular chunks"),
        ({"chunk_key_encoding": {"name": "v2"}}, "default keys"),
        ({"storage_transformers": [{"name": "x"}]}, "storage transformers"),
        ({"chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [3, 10]}}}, "bytes in the chunk"),
    ],
)  # fmt: skip
def test_other_metadata_are_refused(store, fields, said):
    store.change(**fields)
    with pytest.raises(FormatError, match=rf"rocking.zarr/a.*{said}"):
        store.check()


def test_a_chunk_that_becomes_a_gigabyte_is_refused(store):
    file = store.path / STORE / "a" / "c" / "0" / "0"
    content = bytearray(file.read_bytes())
    content[4:8] = (2**30).to_bytes(4, "little")  # unpacked bytes, as the header of Blosc has them
    file.write_bytes(content)
    with pytest.raises(FormatError, match="1073741824 bytes in the chunk '0/0'"):
        store.check()


@pytest.mark.parametrize("size", [2**20, 2**33])
def test_a_frame_of_zstandard_that_becomes_more_is_refused(store, size):
    frame = b"\x28\xb5\x2f\xfd" + bytes([0b11100000]) + size.to_bytes(8, "little") + bytes(9)
    (store.path / STORE / "b" / "c" / "0" / "0").write_bytes(frame)
    with pytest.raises(FormatError, match=f"{size} bytes in the chunk"):
        store.check()


def test_a_frame_that_does_not_tell_its_size_is_refused(store):
    (store.path / STORE / "b" / "c" / "0" / "0").write_bytes(b"\x28\xb5\x2f\xfd\x00\x58" + bytes(9))
    with pytest.raises(FormatError, match="-1 bytes"):
        store.check()


@pytest.mark.parametrize("place", ["a/c/7/0", "a/c/0", "single/c/0", "nothing/c/0"])
def test_chunks_outside_every_array_are_refused(store, place):
    file = store.path / STORE / place
    if place != "a/c/0":
        file.parent.mkdir(parents=True, exist_ok=True) if place != "single/c/0" else None
    if place in ("a/c/7/0", "nothing/c/0"):
        file.write_bytes(b"x")
    elif place == "single/c/0":
        (store.path / STORE / "single" / "c").unlink()
        file.parent.mkdir()
        file.write_bytes(b"x")
    else:
        store.change(shape=[6], chunk_grid={"name": "regular", "configuration": {"chunk_shape": [4]}})
    with pytest.raises(FormatError, match=r"chunk"):
        store.check()


def test_metadata_that_nest_without_end_are_refused(store):
    (store.path / STORE / "a" / "zarr.json").write_text("[" * 100_000)
    with pytest.raises(FormatError, match="Zarr format 3"):
        store.check()
