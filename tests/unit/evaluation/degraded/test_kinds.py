import json

import numpy as np
import pytest

from pacbed.errors import FormatError
from pacbed.evaluation.degraded.kinds import KINDS, ordinary
from pacbed.evaluation.degraded.settings import Degradation
from pacbed.evaluation.degraded.specimens import DEPTHS, SINGLE, TILTS

OF = {kind.name: kind for kind in KINDS}


def drawn(name, seeds=range(30)):
    found = []
    for seed in seeds:
        rng = np.random.default_rng(seed)
        found.append(OF[name].change(ordinary(rng), rng))
    return found


def test_ordinary_pictures_are_within_what_is_met():
    for seed in range(50):
        how = ordinary(np.random.default_rng(seed))
        assert np.hypot(*how.view.ellipse) <= 0.015
        assert 1e4 <= how.light.electrons <= 1e7
        assert how.view.radius_px < 0.3 * how.view.pixels
        assert (how.file.spots, how.file.clipped, how.file.gamma, how.light.vacuum) == ((), 0.0, None, 0.0)
        json.dumps(how.as_json(), allow_nan=False)


def test_names_differ_and_spreads_ask_for_their_specimens():
    assert len(OF) == len(KINDS)
    special = {kind.name: kind.specimen for kind in KINDS if kind.specimen != SINGLE}
    assert special == {"tilt spread": TILTS, "thickness spread": DEPTHS}


@pytest.mark.parametrize(
    ("name", "value", "low", "high"),
    [
        ("few pixels", lambda how: how.view.radius_px, 3, 6),
        ("clipped 12 bit", lambda how: how.file.clipped, 0.05, 0.4),
        ("JPEG with gamma", lambda how: how.file.gamma, 0.5, 0.9),
        ("JPEG", lambda how: how.file.gamma, 1, 1),
        ("vacuum", lambda how: how.light.vacuum, 0.05, 0.4),
        ("camera tail", lambda how: how.blur.tail_share, 0.05, 0.3),
        ("plasmon tail", lambda how: how.blur.plasmons, 0.6, 1.5),
        ("shading", lambda how: np.hypot(*how.light.shading[:2]), 0.05, 0.1),
        ("few electrons", lambda how: np.log10(how.light.electrons), 3, 4.3),
        ("off centre", lambda how: np.hypot(*how.view.shift), 0.15, 0.15),
        ("wrong pixel", lambda how: abs(how.told.pixel_error), 0.3, 0.3),
        ("wrong angle", lambda how: abs(how.told.convergence_error_mrad), 0.3, 0.5),
        ("hot cluster", lambda how: how.file.spots[0].edge_px, 3, 6),
        ("stray spot", lambda how: how.file.spots[0].height, 2, 15),
    ],
)
def test_each_kind_lies_within_its_limits(name, value, low, high):
    values = [value(how) for how in drawn(name)]
    assert low - 1e-9 <= min(values) and max(values) <= high + 1e-9
    if high > low:
        assert max(values) - min(values) > 0.5 * (high - low)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_degradation_comes_back_from_json(kind):
    rng = np.random.default_rng(5)
    how = kind.change(ordinary(rng), rng)
    assert Degradation.from_json(json.loads(json.dumps(how.as_json()))) == how


def test_a_damaged_degradation_is_refused():
    plain = ordinary(np.random.default_rng(5)).as_json()
    plain["view"]["pixels"] = "many"
    with pytest.raises(FormatError, match="degradation: damaged"):
        Degradation.from_json(plain)
