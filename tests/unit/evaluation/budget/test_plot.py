import imageio.v3 as iio
import numpy as np
import pytest

from pacbed.evaluation.budget.plot import plot_budget

THICKNESS = [5.0, 10.0, 20.0]


def effect(bias, *, counted=True, unit="of the lattice", size=0.001, signs=(1,)):
    return {"size": size, "unit": unit, "source": "", "counted": counted, "signs": list(signs), "bias_nm": bias}


@pytest.fixture
def figures():
    return {
        "thickness_nm": THICKNESS,
        "std_nm": [0.05, 0.1, 0.2],
        "effects": {
            "lattice": effect([0.01, 0.02, 0.04], signs=(1, -1)),
            "no_absorption": effect([0.0, 0.1, 0.3], counted=False, unit="instead of lobato", size=1.0),
            "inelastic": effect([0.02, 0.02, 0.02], unit="nm mean free path", size=110.0),
        },
        "convergence_mrad": 14.0,
        "mistilt_mrad": [[0.0, 0.0], [0.9, 1.2]],
    }


def ink(image):
    """Share of pixels that are not white."""
    return float((image[..., :3] < 250).any(axis=-1).mean())


def test_every_effect_has_its_curve(figures, tmp_path):
    plot_budget(figures, tmp_path / "deep" / "all.png")
    few = {**figures, "effects": {"lattice": figures["effects"]["lattice"]}}
    plot_budget(few, tmp_path / "few.png")
    every, one = iio.imread(tmp_path / "deep" / "all.png"), iio.imread(tmp_path / "few.png")
    assert ink(every) > ink(one) > 0.01
    for colour, seen in (((230, 159, 0), True), ((86, 180, 233), True)):  # second and third effect
        assert (np.abs(every[..., :3].astype(int) - colour).max(axis=-1) < 10).any() == seen
        assert not (np.abs(one[..., :3].astype(int) - colour).max(axis=-1) < 10).any()
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["all.png"]


def test_a_bias_of_zero_is_drawn_on_the_logarithmic_axis(figures, tmp_path):
    figures["effects"]["lattice"]["bias_nm"] = [0.0, 0.0, 0.0]
    plot_budget(figures, tmp_path / "zero.png")
    assert ink(iio.imread(tmp_path / "zero.png")) > 0.01
