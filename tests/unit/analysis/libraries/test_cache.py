"""Libraries are rendered once, come back as they were, and are rendered again when damaged."""

from dataclasses import fields, replace

import numpy as np
import pytest

from pacbed.analysis.libraries.cache import cached_library, library_entry
from pacbed.analysis.libraries.of_angle import library_for
from pacbed.bundle.reader import load_bundle

ANGLE = 14.0
KIND = (ANGLE, np.inf, 0.0)


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("PACBED_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture(scope="module")
def library(tiny_bundle):
    return library_for(tiny_bundle, ANGLE)


def never():
    raise AssertionError("it was to be read")


def same(one, other):
    for field in fields(one):
        np.testing.assert_array_equal(getattr(one, field.name), getattr(other, field.name))


def test_what_one_process_rendered_another_reads(tiny_bundle, library, cache):
    same(cached_library(tiny_bundle, KIND, lambda: library), library)
    again = cached_library(tiny_bundle, KIND, never)
    same(again, library)
    assert again.spectrum.dtype == library.spectrum.dtype
    assert sorted(path.suffix for path in cache.iterdir()) == [".lock", ".npz"]


def test_angles_and_bundles_have_libraries_of_their_own(tiny_bundle, bare_bundle):
    kinds = [(14.0, np.inf, 0.0), (14.1, np.inf, 0.0), (14.0, 20.0, 0.4)]
    assert len({library_entry(bundle, kind) for bundle in (tiny_bundle, bare_bundle) for kind in kinds}) == 6


def test_a_damaged_library_is_rendered_again(tiny_bundle, library):
    entry = library_entry(tiny_bundle, KIND)
    cached_library(tiny_bundle, KIND, lambda: library)
    content = bytearray(entry.read_bytes())
    content[len(content) // 2] ^= 0xFF
    entry.write_bytes(content)
    same(cached_library(tiny_bundle, KIND, lambda: library), library)
    same(cached_library(tiny_bundle, KIND, never), library)


def test_a_library_without_mirror_comes_back_without(tiny_bundle, library):
    handed = replace(library, mirror=None)
    cached_library(tiny_bundle, KIND, lambda: handed)
    assert cached_library(tiny_bundle, KIND, never).mirror is None


def test_a_cache_that_cannot_be_written_costs_time_and_no_answer(tiny_bundle, library, cache):
    cache.write_text("a file where the folder should be")
    assert cached_library(tiny_bundle, KIND, lambda: library) is library


def test_libraries_count_towards_the_size_of_the_cache(tiny_bundle, library, cache, monkeypatch, capsys):
    monkeypatch.setenv("PACBED_CACHE_GB", "0")
    monkeypatch.setattr("pacbed.bundle.pretrained.cache.IN_USE_S", -1.0)
    cached_library(tiny_bundle, KIND, lambda: library)
    assert not library_entry(tiny_bundle, KIND).exists()
    assert capsys.readouterr().err == ""
    assert library_for(load_bundle(tiny_bundle.path), ANGLE).convergence_mrad == ANGLE


def test_a_full_disk_does_not_have_a_library_rendered_twice(tiny_bundle, library, monkeypatch):
    rendered = []

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pacbed.analysis.libraries.cache.np.savez", full)
    found = cached_library(tiny_bundle, KIND, lambda: rendered.append(1) or library)
    assert (found, rendered) == (library, [1])
