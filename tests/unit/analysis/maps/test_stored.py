import json
import warnings

import numpy as np
import pytest

from pacbed.analysis.maps.answer import VERDICTS
from pacbed.analysis.maps.stored import ARRAYS, MEANINGS, OLD_ARRAYS, ThicknessMap, read_facts, read_map, write_map
from pacbed.errors import FormatError

FACTS = {"window": 2, "input": "film.npy", "verdicts": list(VERDICTS)}


@pytest.fixture
def found():
    rng = np.random.default_rng(1)
    known = {name: rng.random((2, 3)) for name in ARRAYS if name not in ("verdict", "vacuum_share")}
    known["thickness_nm"][1, 2] = np.nan
    return ThicknessMap.of(np.array([[0, 1, 2], [0, 4, 3]], np.uint8), known)


def test_a_map_survives_its_folder(found, tmp_path):
    write_map(found, FACTS, tmp_path / "deep" / "map", step_nm=0.8)
    again = read_map(tmp_path / "deep" / "map")
    for name in ARRAYS:
        np.testing.assert_allclose(getattr(again, name), getattr(found, name), rtol=1e-6)
    assert again.verdict.dtype == np.uint8
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["map"]
    assert read_facts(tmp_path / "deep" / "map")["input"] == "film.npy"


def test_it_opens_with_xarray(found, tmp_path):
    xarray = pytest.importorskip("xarray")
    write_map(found, FACTS, tmp_path / "map", step_nm=0.8)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        data = xarray.open_zarr(tmp_path / "map")
    assert data.thickness_nm.dims == ("y", "x") and data.thickness_nm.attrs["units"] == "nm"
    assert data.x.values == pytest.approx([0.4, 1.2, 2.0]) and data.x.attrs["units"] == "nm"
    assert set(MEANINGS) == set(data.data_vars)
    assert data.attrs["verdicts"] == list(VERDICTS)


def test_without_a_scan_step_coordinates_count_positions(found, tmp_path):
    xarray = pytest.importorskip("xarray")
    write_map(found, FACTS, tmp_path / "map", step_nm=None)
    data = xarray.open_zarr(tmp_path / "map")
    assert data.y.values.tolist() == [1.0, 3.0] and data.y.attrs["units"] == "scan positions"


def test_maps_made_before_are_read(tmp_path):
    for name in OLD_ARRAYS:
        np.save(tmp_path / f"{name}.npy", np.full((2, 2), 0 if name == "verdict" else 3.0))
    (tmp_path / "map.json").write_text(json.dumps({"schema_version": 1}))
    again = read_map(tmp_path)
    assert again.thickness_nm.tolist() == [[3.0, 3.0], [3.0, 3.0]]
    assert np.isnan(again.chi_square).all()


def test_damaged_and_newer_maps_are_refused(found, tmp_path):
    with pytest.raises(FormatError, match="damaged or incomplete"):
        read_map(tmp_path)
    with pytest.raises(FormatError, match="damaged or incomplete"):
        read_facts(tmp_path)
    write_map(found, FACTS, tmp_path / "map", step_nm=None)
    (tmp_path / "map" / "misfit" / "c" / "0" / "0").write_bytes(b"nothing")
    with pytest.raises(FormatError, match="damaged or incomplete"):
        read_map(tmp_path / "map")
    (tmp_path / "map" / "map.json").write_text(json.dumps({"schema_version": 3}))
    with pytest.raises(FormatError, match=r"got schema_version 3.*update"):
        read_map(tmp_path / "map")
