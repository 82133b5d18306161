import json

import numpy as np
import pytest

from pacbed.errors import FormatError
from pacbed.evaluation.degraded.stored_specimens import read_specimens, store_specimens
from pacbed.patterns import Geometry


@pytest.fixture
def folder(phonon_specimens, tmp_path):
    store_specimens(phonon_specimens, {"seed": 4}, tmp_path / "some.zarr")
    return tmp_path / "some.zarr"


def test_specimens_come_back_with_their_pictures(folder, phonon_specimens):
    geometry = Geometry((20, 22), 1.4, (9.0, 11.5), 20.0)
    found = read_specimens(folder)
    assert [one.kind for one in found] == [one.kind for one in phonon_specimens]
    for back, given in zip(found, phonon_specimens, strict=True):
        assert [part.parameters for part in back.parts] == [part.parameters for part in given.parts]
        for one, other in zip(back.image(geometry), given.image(geometry), strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-12)


def test_damaged_and_other_versions_are_refused(folder, tmp_path):
    with pytest.raises(FormatError, match="missing or damaged"):
        read_specimens(tmp_path / "none.zarr")
    facts = folder / "zarr.json"
    content = json.loads(facts.read_text())
    content["attributes"]["schema_version"] = 9
    facts.write_text(json.dumps(content))
    with pytest.raises(FormatError, match="got schema_version 9, accepted: 1"):
        read_specimens(folder)
