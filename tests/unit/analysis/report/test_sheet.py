from dataclasses import replace

import imageio.v3 as iio
import numpy as np
import pytest
from matplotlib.text import Text

from pacbed.analysis.options import PredictOptions
from pacbed.analysis.predict import analyse
from pacbed.analysis.report.sheet import compose_sheet, draw_sheet
from pacbed.errors import ParameterError


@pytest.mark.parametrize("verdict", ["ok", "doubtful", "refused"])
def test_the_sheet_shows_pattern_and_verdict(analysis, tmp_path, verdict):
    reasons = ["a reason that is long enough to be wrapped " * 4] * 6
    result = analysis.result.model_copy(update={"verdict": verdict, "reasons": reasons})
    draw_sheet(replace(analysis, result=result), tmp_path / "sheet.png")
    image = iio.imread(tmp_path / "sheet.png")
    assert image.shape[:2] == (1580, 1440)
    colour = {"ok": (46, 125, 50), "doubtful": (217, 130, 0), "refused": (183, 28, 28)}[verdict]
    assert (np.abs(image[:120, 1000:, :3].astype(int) - colour).max(axis=-1) < 3).sum() > 500
    # Nothing runs over the edge of the page.
    margin = np.concatenate([image[:8].reshape(-1, 4), image[-8:].reshape(-1, 4), image[:, -8:].reshape(-1, 4)])
    assert (margin[:, :3] == 255).all()


def test_measured_and_best_match_stand_side_by_side(analysis, tmp_path):
    draw_sheet(analysis, tmp_path / "sheet.png")
    image = iio.imread(tmp_path / "sheet.png")[..., :3].astype(float)
    measured, best, difference = (image[260:560, left : left + 300] for left in (160, 608, 1056))
    assert np.abs(measured - best).mean() < 15
    assert np.abs(measured - difference).mean() > 60


def test_a_sheet_without_refinement(tiny_bundle, camera, tmp_path):
    draw_sheet(
        analyse(tiny_bundle, camera(), PredictOptions(convergence_mrad=14.0, refine=False)), tmp_path / "sheet.png"
    )
    assert iio.imread(tmp_path / "sheet.png").shape[:2] == (1580, 1440)


def test_the_sheet_for_printing_holds_text_and_is_the_same_every_time(analysis, tmp_path):
    draw_sheet(analysis, tmp_path / "a.pdf", tmp_path / "a.png")
    draw_sheet(analysis, tmp_path / "b.pdf")
    assert (tmp_path / "a.pdf").read_bytes()[:5] == b"%PDF-"
    assert (tmp_path / "a.pdf").read_bytes() == (tmp_path / "b.pdf").read_bytes()
    # Fonts with their glyphs' names, which readers turn into text that can be searched and copied.
    assert b"/Subtype /Type3" in (tmp_path / "a.pdf").read_bytes() and (tmp_path / "a.png").is_file()


def test_a_sheet_of_another_format_is_refused_before_it_is_drawn(analysis, tmp_path):
    with pytest.raises(ParameterError, match=r"sheet: got .sheet\.svg., .*\.png, \.pdf"):
        draw_sheet(analysis, tmp_path / "sheet.png", tmp_path / "sheet.svg")
    assert not list(tmp_path.iterdir())


def words(figure):
    """Everything that is written on a sheet."""
    return " ".join(text.get_text() for text in figure.findobj(Text))


def test_a_sheet_contains_the_figures_of_its_result(analysis):
    said, result = words(compose_sheet(analysis)), analysis.result
    thickness, mistilt = result.thickness_nm, result.mistilt_mrad
    assert f"{thickness.value:.2f} ± {thickness.std:.2f} nm" in said
    parts = thickness.std_statistical, thickness.std_effects, thickness.std_model
    assert "noise {:.2f}, effects {:.2f}, crystal {:.2f} nm".format(*parts) in said
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
    assert "best match of each thickness" in said


def test_a_sheet_is_whole_or_absent(analysis, tmp_path):
    (tmp_path / "folder").write_text("in the way")
    with pytest.raises(OSError, match="folder"):
        draw_sheet(analysis, tmp_path / "folder" / "sheet.png")
    draw_sheet(analysis, tmp_path / "new" / "sheet.png")
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["sheet.png"]


def test_a_result_without_reasons_says_so(analysis):
    silent = analysis.result.model_copy(update={"verdict": "ok", "reasons": []})
    assert "nothing speaks against this result" in words(compose_sheet(replace(analysis, result=silent)))


def test_a_sheet_names_the_pattern_of_a_file_and_long_names_leave_room(analysis):
    provenance = analysis.result.provenance
    for name, part, shown in (
        ("scan.npy", "frame 3,4", "scan.npy, frame 3,4"),
        ("a" * 90 + ".tif", "", "a" * 35 + "…" + "a" * 16 + ".tif"),
    ):
        parameters = {**provenance.parameters, "part": part}
        source = provenance.model_copy(update={"input": name, "parameters": parameters})
        result = analysis.result.model_copy(update={"provenance": source})
        assert f" {shown} " in words(compose_sheet(replace(analysis, result=result)))


def test_many_reasons_end_with_where_the_rest_is(analysis):
    reasons = [f"reason number {number}" for number in range(12)]
    result = analysis.result.model_copy(update={"verdict": "doubtful", "reasons": reasons})
    said = words(compose_sheet(replace(analysis, result=result)))
    assert "DOUBTFUL" in said and "reason number 8" in said
    assert "reason number 9" not in said and "more in the JSON file" in said


def test_a_sheet_without_networks_is_shorter_and_has_no_empty_panel(bare_analysis, analysis, tmp_path):
    figure, whole = compose_sheet(bare_analysis), compose_sheet(analysis)
    assert "no networks in this bundle" in words(figure)
    assert "candidates of the network" in words(whole) and "candidates of the network" not in words(figure)
    assert all("best match of each thickness" in words(one) for one in (whole, figure))
    assert len(whole.axes) - len(figure.axes) == 3
    draw_sheet(bare_analysis, tmp_path / "sheet.png")
    height, width = iio.imread(tmp_path / "sheet.png").shape[:2]
    assert (height, width) == (1436, 1440)
    for bare, full in zip(figure.axes[:3], whole.axes[:3], strict=True):  # pictures of the same size on paper
        sizes = [axes.get_position().height * axes.figure.get_figheight() for axes in (bare, full)]
        assert sizes[0] == pytest.approx(sizes[1], rel=0.01)


def test_a_sheet_says_what_it_is_of_and_by_which_conventions(analysis):
    said = " ".join(words(compose_sheet(analysis)).split())
    assert "SrTiO3 [0 0 1], 200 kV" in said
    assert "the crystalline part along the beam" in said and "from the zone axis (×) to the beam" in said
