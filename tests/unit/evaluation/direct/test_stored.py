import json

import numpy as np
import pytest

from pacbed.analysis.fit.parameters import PatternParameters
from pacbed.errors import FormatError
from pacbed.evaluation.direct.stored import StoredPattern, read_patterns, store_patterns

AT = PatternParameters(
    thickness_nm=12.5, mistilt_mrad=(0.5, -1.0), center_px=(7.5, 8.0), pixel_mrad=0.8, rotation_deg=12.0,
    convergence_mrad=13.6, blur_mrad=0.5,
)  # fmt: skip


@pytest.fixture
def stored(tmp_path):
    rng = np.random.default_rng(2)
    patterns = [
        StoredPattern(AT.moved(np.eye(11)[[0, 9]].sum(axis=0) * step), step * rng.random((16, 16)))
        for step in (1e-4, 2e-3)
    ]
    store_patterns(patterns, {"seed": 2}, tmp_path / "some.zarr")
    return tmp_path / "some.zarr", patterns


def test_patterns_come_back_to_sixteen_bits(stored):
    folder, patterns = stored
    for found, given in zip(read_patterns(folder), patterns, strict=True):
        assert found.parameters == given.parameters
        np.testing.assert_allclose(found.image, given.image, atol=0.6 * given.image.max() / 65535)


def test_damaged_and_other_versions_are_refused(stored, tmp_path):
    with pytest.raises(FormatError, match="missing or damaged"):
        read_patterns(tmp_path / "none.zarr")
    facts = stored[0] / "zarr.json"
    content = json.loads(facts.read_text())
    content["attributes"]["schema_version"] = 7
    facts.write_text(json.dumps(content))
    with pytest.raises(FormatError, match="got schema_version 7, accepted: 1"):
        read_patterns(stored[0])


def test_patterns_of_before_ellipses_have_none(stored):
    facts = stored[0] / "zarr.json"
    content = json.loads(facts.read_text())
    for one in content["attributes"]["parameters"]:
        del one["ellipse_percent"]
    facts.write_text(json.dumps(content))
    assert all(found.parameters.ellipse_percent == (0.0, 0.0) for found in read_patterns(stored[0]))
