import numpy as np
import pytest
import yaml

from pacbed.analysis.export.of_map import guess_of_map
from pacbed.analysis.export.write import Export, export_map
from pacbed.analysis.maps.answer import VERDICTS
from pacbed.analysis.maps.stored import ThicknessMap


def flat(thickness=(20.0, 20.2, 19.8, 90.0), verdict=("ok", "ok", "ok", "refused")):
    """A row of windows; a refused one is far off."""
    codes = np.array([[VERDICTS.index(name) for name in verdict]], np.uint8)
    known = {"thickness_nm": np.array([thickness]), "mistilt_x_mrad": np.full((1, 4), 1.5)}
    return ThicknessMap.of(codes, known | {"mistilt_y_mrad": np.full((1, 4), -0.5)})


def test_the_guess_is_the_median_of_windows_that_are_ok():
    guess = guess_of_map(flat(), "film.npy")
    assert guess.thickness.value == 20.0 and guess.tilt_yx_mrad == (0.5, -1.5)
    assert guess.source == "film.npy, medians of 3 windows" and guess.warning == ""


def test_an_uneven_map_warns():
    """One thickness does not stand for a wedge."""
    guess = guess_of_map(flat((10.0, 20.0, 30.0, 40.0), ("ok",) * 4), "film.npy")
    assert guess.thickness.value == 25.0 and guess.warning.startswith("uneven: it differs by 14.8 nm")


def test_a_map_without_good_windows_exports_nothing(tmp_path):
    empty = flat(verdict=("refused", "unusable", "vacuum", "doubtful"))
    assert guess_of_map(empty, "film.npy") is None
    assert export_map(empty, "film.npy", Export("phaser"), tmp_path / "film") == (
        "nothing exported to phaser: no window of the map is ok"
    )
    assert list(tmp_path.iterdir()) == []


def test_the_snippet_of_a_map_lies_beside_it(tmp_path):
    said = export_map(flat(), "film.npy", Export("phaser", 2.0), tmp_path / "film")
    assert said == "film_phaser.yaml for phaser: 10 slices of 2 nm, tilt y 0.50, x -1.50 mrad"
    read = yaml.safe_load((tmp_path / "film_phaser.yaml").read_text(encoding="utf-8"))
    assert read["slices"]["n"] == 10 and read["init"]["tilt"]["tilt"] == pytest.approx([0.5, -1.5])
