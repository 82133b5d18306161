import json

import numpy as np
import pytest

from pacbed.bundle.meta import ModelError
from pacbed.errors import ParameterError
from pacbed.evaluation.budget.effects import Effect
from pacbed.evaluation.budget.model_error import bridged, combine, model_error, thicknesses_nm
from pacbed.outputs import write_json


def run(tiny_table_dir, folder, settings, picture=None):
    model_error(
        tiny_table_dir.parent / "structure", settings=settings, state_dir=folder / ".state",
        out_json=folder / "model_error.json", out_png=picture or folder / "model_error.png",
    )  # fmt: skip
    return json.loads((folder / "model_error.json").read_text(encoding="utf-8"))


OFF_AXIS = {"mistilt_mrad": 1.5}  # and on it


@pytest.fixture(scope="module")
def outcome(tiny_table_dir, budget_settings, tmp_path_factory):
    folder = tmp_path_factory.mktemp("budget")
    return run(tiny_table_dir, folder, budget_settings(OFF_AXIS)), folder


def test_the_budget_is_what_a_bundle_takes(outcome):
    figures, folder = outcome
    budget = ModelError.model_validate({name: figures[name] for name in ModelError.model_fields})
    assert budget.thickness_nm == [5.0, 10.0]
    counted = [effect.bias_nm for effect in budget.effects.values() if effect.counted]
    assert len(counted) == 7
    assert budget.std_nm == pytest.approx(bridged(np.sqrt(np.sum(np.square(counted), axis=0))))
    assert budget.effects["debye_waller"].signs == [1]
    assert 0 < budget.std_at(10.0) < 0.5
    assert (folder / "model_error.png").read_bytes().startswith(b"\x89PNG")


def test_nothing_is_left_behind(outcome):
    _, folder = outcome
    assert sorted(path.name for path in folder.iterdir()) == ["model_error.json", "model_error.png"]


def test_signs_are_those_of_physics(outcome):
    bias = {name: np.array(values) for name, values in outcome[0]["signed_bias_nm"].items()}
    assert bias["high_tension"].shape == (2, 2)  # tilt, thickness
    # Weaker interaction and weaker atoms: everything takes longer, so the crystal looks thinner.
    assert np.all(bias["high_tension"] < 0)
    assert np.all(bias["bonding"][:, 1] < 0)
    # A larger cell holds its atoms farther apart; 0.1 % each way are some 0.2 % of the thickness.
    assert bias["lattice"][:, 1] == pytest.approx([-0.02, -0.02], abs=0.01)


def test_a_stopped_run_goes_on_with_what_is_finished(outcome, tiny_table_dir, budget_settings, tmp_path):
    figures, _ = outcome
    invented = [[7.0, 8.0], [7.0, 8.0]]
    state = tmp_path / ".state"
    write_json({"sha256": "of something else"}, state / "made_for.json")
    write_json({"bias_nm": invented}, state / "lattice.json")
    with pytest.raises(OSError, match="not_there"):  # stops at the picture, when everything else is done
        run(tiny_table_dir, tmp_path, budget_settings(OFF_AXIS), picture=blocked(tmp_path))
    # What lay there was of other settings.
    kept = json.loads((state / "lattice.json").read_text())["bias_nm"]
    assert np.array(kept) == pytest.approx(np.array(figures["signed_bias_nm"]["lattice"]))
    write_json({"bias_nm": invented}, state / "lattice.json")
    assert run(tiny_table_dir, tmp_path, budget_settings(OFF_AXIS))["signed_bias_nm"] == figures["signed_bias_nm"] | {
        "lattice": invented
    }


def blocked(folder):
    """A path that cannot be written: its folder is a file."""
    (folder / "not_there").write_text("")
    return folder / "not_there" / "model_error.png"


def test_the_convergence_angle_must_be_the_grids(tiny_table_dir, budget_settings, tmp_path):
    with pytest.raises(ParameterError, match=r"convergence_mrad: got 20.0, accepted: auto, or 13 to 15"):
        run(tiny_table_dir, tmp_path, budget_settings({"convergence_mrad": 20.0}))


def test_thicknesses_begin_thin_and_end_at_the_largest():
    assert thicknesses_nm(100.0, 25.0) == [5.0, 25.0, 50.0, 75.0, 100.0]
    assert thicknesses_nm(32.0, 10.0) == [5.0, 10.0, 20.0, 30.0, 32.0]
    assert thicknesses_nm(3.0, 10.0) == [3.0]


def test_directions_are_averaged_and_mistilts_added_as_squares():
    effects = [Effect("pair", 1, "", "", signs=(1, -1)), Effect("single", 1, "", "", signs=(-1,))]
    biases = {
        "pair_plus": np.array([[1.0, -2.0], [3.0, 0.0]]),
        "pair_minus": np.array([[-3.0, -2.0], [-5.0, 2.0]]),
        "single": np.array([[3.0, 0.0], [-4.0, 1.0]]),
    }
    assert combine(effects, biases) == {
        "pair": pytest.approx([np.sqrt((2**2 + 4**2) / 2), np.sqrt((2**2 + 1**2) / 2)]),
        "single": pytest.approx([np.sqrt(12.5), np.sqrt(0.5)]),
    }


def test_a_budget_does_not_dip_where_biases_pass_through_zero():
    effect = Effect("waving", 1, "", "")
    thickness = np.arange(10.0, 101.0, 10.0)
    signed = 0.01 * thickness * np.cos(np.pi * thickness / 100)  # passes through zero at 50 nm
    size = np.array(combine([effect], {"waving": signed[None]})["waving"])
    assert size[4] < 1e-9
    budget = bridged(size)
    assert budget[4] == pytest.approx(np.sqrt((size[3] ** 2 + size[5] ** 2) / 3))
    assert budget[4] > 0.1
    assert np.all(budget >= size)


def test_a_budget_is_kept_where_nothing_dips():
    rising = np.array([0.1, 0.2, 0.4, 0.6, 0.8, 1.0])
    # On a straight line the root mean square over three places is a little more than the middle one.
    assert bridged(rising) == pytest.approx(rising, rel=0.35)
    assert bridged(rising)[2:] == pytest.approx(rising[2:], rel=0.09)
    assert bridged(np.full(4, 0.3)) == pytest.approx(np.full(4, 0.3))
    assert bridged(np.array([0.1, 0.9, 0.1]))[1] == 0.9  # a peak was measured there, and stays
    assert bridged(np.array([0.2])) == pytest.approx([0.2])
