from dataclasses import replace

import numpy as np
import pytest

from pacbed.analysis.maps.answer import VERDICTS
from pacbed.analysis.maps.tasks import WindowTask, close_all, opened, run_task
from pacbed.analysis.maps.windows import Place
from pacbed.analysis.options import PredictOptions


@pytest.fixture(autouse=True)
def closed():
    yield
    close_all()


def test_quick_and_full_fits_agree(source, constants, wedge):
    """Within the error bar of the full one, which knows less: it fits what windows share anew."""
    place = Place(4, 2)
    (full,), (quick,) = (run_task(WindowTask(source, (place,), one)) for one in (None, constants))
    assert full.fit is not None and quick.fit is None
    apart = abs(full.answer.thickness_nm - quick.answer.thickness_nm)
    assert apart < max(0.1, 2.5 * full.answer.thickness_std_statistical_nm)
    assert quick.answer.thickness_nm == pytest.approx(wedge.thickness_nm[place], abs=0.4)


def test_data_are_opened_once(source):
    first = opened(source)
    assert opened(source) is first
    assert opened(replace(source, token="another")) is not first


def test_networks_alone_answer_with_a_verdict(source, constants, wedge):
    """Networks that know nothing are not believed: the library says where the pattern matches."""
    asked = replace(source, options=replace(source.options, refine=False), token="networks")
    done = run_task(WindowTask(asked, (Place(0, 0), Place(5, 1), Place(4, 6)), constants))
    assert [one.place for one in done] == [Place(0, 0), Place(5, 1), Place(4, 6)]
    for one in done:
        assert one.answer.verdict in ("doubtful", "refused") and one.answer.reasons
        assert 1 <= one.answer.thickness_nm <= 10


def odd_patterns():
    """Patterns that are none."""
    rng = np.random.default_rng(2)
    singles = np.zeros((64, 64))
    singles.ravel()[rng.choice(4096, 60, replace=False)] = 1
    return {
        "single electrons": singles,
        "not numbers": np.full((64, 64), np.nan),
        "infinite": np.where(np.eye(64) > 0, np.inf, 1.0),
        "huge": rng.random((64, 64)) * 1e30,
        "tiny": rng.random((64, 64)) * 1e-30,
        "negative": -rng.random((64, 64)),
        "one pixel": np.eye(64) * (np.arange(64) == 30),
        "a step": np.repeat([0.0, 1.0], 2048).reshape(64, 64),
        "a ramp": np.add.outer(np.arange(64.0), np.arange(64.0)),
        "all but constant": 1.0 + 1e-6 * np.eye(64),
    }


@pytest.mark.parametrize("refine", [True, False])
def test_odd_windows_do_not_stop_the_map(source, constants, tmp_path, refine):
    """And none of them is believed."""
    odd = odd_patterns()
    np.save(tmp_path / "odd.npy", np.stack(list(odd.values())).astype(np.float32)[None])
    options = PredictOptions(convergence_mrad=13.8, refine=refine)
    there = replace(source, data=tmp_path / "odd.npy", options=options, token=f"odd {refine}")
    places = tuple(Place(0, column) for column in range(len(odd)))
    for name, one in zip(odd, run_task(WindowTask(there, places, constants)), strict=True):
        assert one.answer.verdict in VERDICTS[1:], name
        assert one.answer.reasons, name
