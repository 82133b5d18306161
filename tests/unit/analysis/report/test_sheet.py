from dataclasses import replace

import imageio.v3 as iio
import numpy as np
import pytest
from matplotlib.image import AxesImage
from matplotlib.text import Text

from pacbed.analysis.options import PredictOptions
from pacbed.analysis.predict import analyse
from pacbed.analysis.report.sheet import compose_sheet, draw_sheet


@pytest.mark.parametrize("verdict", ["ok", "doubtful", "refused"])
def test_the_sheet_shows_pattern_and_verdict(analysis, tmp_path, verdict):
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


def words(figure):
    """Everything that is written on a sheet."""
    return " ".join(text.get_text() for text in figure.findobj(Text))


def test_a_sheet_contains_the_figures_of_its_result(analysis):
    said, result = words(compose_sheet(analysis)), analysis.result
    thickness, mistilt = result.thickness_nm, result.mistilt_mrad
    assert f"{thickness.value:.2f} ± {thickness.std:.2f} nm" in said
    assert f"this pattern {thickness.std_statistical:.2f} nm, simulation {thickness.std_model:.2f} nm" in said
    assert f"{mistilt.value:.2f} ± {mistilt.std:.2f} mrad towards {result.mistilt_azimuth_deg.value:.0f}°" in said
    assert f"{result.pixel_mrad.value:.4f} ± {result.pixel_mrad.std:.4f} mrad" in said
    assert f"{result.rotation_deg.value:.1f} ± {result.rotation_deg.std:.1f}° modulo 90°" in said
    assert f"{result.misfit:.3f}, noise alone" in said
    for one in result.thickness_candidates:
        assert f"{one.value:.0f} nm ({100 * one.probability:.0f} %)" in said
    assert result.verdict.upper() in said
    assert all(reason[:40] in said for reason in result.reasons)
    assert result.provenance.bundle_sha256[:10] in said


def test_a_sheet_without_refinement_claims_no_fit(tiny_bundle, camera):
    alone = analyse(tiny_bundle, camera(), PredictOptions(convergence_mrad=14.0, refine=False))
    said = words(compose_sheet(alone))
    assert f"{alone.result.thickness_nm.value:.2f} ±" in said
    assert "modulo" not in said and "refined" not in said
    assert f"{alone.result.misfit:.3f}, noise alone" in said  # of the rendered pattern near their answer


def test_the_pictures_are_pattern_model_and_their_difference(analysis):
    """In this order, in one unit, where the mask counts."""
    panels = [axes.images[0] for axes in compose_sheet(analysis).axes if axes.get_title()]
    assert all(isinstance(panel, AxesImage) for panel in panels) and len(panels) == 3
    measured, best, difference = (np.ma.filled(panel.get_array(), np.nan) for panel in panels)
    mask = analysis.model.cutout.mask
    for picture in (measured, best, difference):
        np.testing.assert_array_equal(np.isfinite(picture), mask)
    np.testing.assert_allclose(difference[mask], (measured - best)[mask], atol=1e-12)
    ratio = best[mask] / analysis.model.image(analysis.parameters)[mask]
    assert np.nanpercentile(best, 99.8) == pytest.approx(1.0)
    np.testing.assert_allclose(ratio, ratio[0])


def test_the_optic_axis_is_at_the_origin_of_the_pictures(analysis):
    left, right, lower, upper = compose_sheet(analysis).axes[0].images[0].get_extent()
    ny, nx = analysis.model.cutout.values.shape
    assert (right - left) / nx == pytest.approx((lower - upper) / ny)
    geometry = analysis.model.cutout.geometry(analysis.parameters, mirrored=False)
    assert -left / geometry.pixel_mrad - 0.5 == pytest.approx(geometry.center_px[0])
    assert -upper / geometry.pixel_mrad - 0.5 == pytest.approx(geometry.center_px[1])


def test_a_sheet_is_whole_or_absent(analysis, tmp_path):
    (tmp_path / "folder").write_text("in the way")
    with pytest.raises(OSError, match="folder"):
        draw_sheet(analysis, tmp_path / "folder" / "sheet.png")
    draw_sheet(analysis, tmp_path / "new" / "sheet.png")
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["sheet.png"]


def test_a_result_without_reasons_says_so(analysis):
    silent = analysis.result.model_copy(update={"verdict": "ok", "reasons": []})
    assert "nothing speaks against this result" in words(compose_sheet(replace(analysis, result=silent)))


def test_many_reasons_end_with_where_the_rest_is(analysis):
    reasons = [f"reason number {number}" for number in range(12)]
    result = analysis.result.model_copy(update={"verdict": "doubtful", "reasons": reasons})
    said = words(compose_sheet(replace(analysis, result=result)))
    assert "DOUBTFUL" in said and "reason number 6" in said
    assert "reason number 7" not in said and "more in the JSON file" in said


def test_a_sheet_without_networks_is_shorter_and_has_no_empty_panel(bare_analysis, analysis, tmp_path):
    figure, whole = compose_sheet(bare_analysis), compose_sheet(analysis)
    assert "no networks in this bundle" in words(figure)
    assert "network probability" in words(whole) and "network probability" not in words(figure)
    assert len(whole.axes) - len(figure.axes) == 3
    draw_sheet(bare_analysis, tmp_path / "sheet.png")
    height, width = iio.imread(tmp_path / "sheet.png").shape[:2]
    assert (height, width) == (1024, 1440)
    for bare, full in zip(figure.axes[:3], whole.axes[:3], strict=True):  # pictures of the same size on paper
        sizes = [axes.get_position().height * axes.figure.get_figheight() for axes in (bare, full)]
        assert sizes[0] == pytest.approx(sizes[1], rel=0.01)
