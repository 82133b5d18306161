import imageio.v3 as iio
import numpy as np
import pytest

from pacbed.analysis.options import PredictOptions
from pacbed.analysis.predict import analyse
from pacbed.analysis.report.sheet import draw_sheet


@pytest.mark.parametrize("verdict", ["ok", "doubtful", "refused"])
def test_the_sheet_shows_pattern_and_verdict(analysis, tmp_path, verdict):
    from dataclasses import replace

    reasons = ["a reason that is long enough to be wrapped " * 4] * 6
    result = analysis.result.model_copy(update={"verdict": verdict, "reasons": reasons})
    draw_sheet(replace(analysis, result=result), tmp_path / "sheet.png")
    image = iio.imread(tmp_path / "sheet.png")
    assert image.shape[:2] == (1320, 1440)
    colour = {"ok": (46, 125, 50), "doubtful": (217, 130, 0), "refused": (183, 28, 28)}[verdict]
    assert (np.abs(image[:120, 1000:, :3].astype(int) - colour).max(axis=-1) < 3).sum() > 500
    # Nothing runs over the edge of the page.
    margin = np.concatenate([image[:8].reshape(-1, 4), image[-8:].reshape(-1, 4), image[:, -8:].reshape(-1, 4)])
    assert (margin[:, :3] == 255).all()


def test_measured_and_best_match_stand_side_by_side(analysis, tmp_path):
    draw_sheet(analysis, tmp_path / "sheet.png")
    image = iio.imread(tmp_path / "sheet.png")[..., :3].astype(float)
    measured, best, difference = (image[200:500, left : left + 300] for left in (160, 608, 1056))
    assert np.abs(measured - best).mean() < 15
    assert np.abs(measured - difference).mean() > 60


def test_a_sheet_without_refinement(tiny_bundle, camera, tmp_path):
    draw_sheet(
        analyse(tiny_bundle, camera(), PredictOptions(convergence_mrad=14.0, refine=False)), tmp_path / "sheet.png"
    )
    assert iio.imread(tmp_path / "sheet.png").shape[:2] == (1320, 1440)
