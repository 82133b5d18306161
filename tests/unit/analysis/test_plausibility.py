import numpy as np
import pytest

from pacbed.analysis.options import Conditions, PredictOptions
from pacbed.analysis.plausibility import check_pixel, note_pixel
from pacbed.analysis.recording.metadata import Calibration
from pacbed.analysis.recording.pattern_file import Pattern
from pacbed.analysis.steps import prepare
from pacbed.analysis.verdicts.findings import Findings
from pacbed.errors import ParameterError
from pacbed.outline import Outline

DISK = Outline((64.0, 64.0), 35.0, 5.0, 1.0)  # 14 mrad: 0.4 mrad a pixel


@pytest.mark.parametrize("pixel_mrad", [None, 0.4, 0.11, 1.5])
def test_pixels_that_a_crystal_could_explain_pass(pixel_mrad):
    check_pixel(Conditions(14.0, pixel_mrad=pixel_mrad), DISK)


@pytest.mark.parametrize("factor", [0.001, 0.01, 0.1, 0.2, 5, 10, 57.3, 100, 1000])
def test_a_slip_of_units_is_named_with_what_the_bright_region_allows(factor):
    with pytest.raises(ParameterError) as caught:
        check_pixel(Conditions(14.0, pixel_mrad=0.4 * factor), DISK)
    text = str(caught.value)
    assert text.startswith(f"pixel_mrad: got {float(f'{0.4 * factor:.4g}')!r}, accepted: about 0.4 [mrad]")
    assert "35.0 pixels radius and 14 mrad" in text


def test_a_slip_of_units_stops_before_any_work(tiny_bundle, camera, monkeypatch):
    """0.4 mrad a pixel, stated in 1/nm and a hundred times too large."""
    monkeypatch.setattr("pacbed.analysis.steps.library_for", lambda *_: pytest.fail("a library was rendered"))
    stated = Pattern(camera(), Calibration(energy_kev=200.0, pixel_per_nm=16.0))
    with pytest.raises(ParameterError, match=r"pixel_mrad: got 40\.13, accepted: about 0\.[34]"):
        prepare(tiny_bundle, stated, PredictOptions(convergence_mrad=14.0))


def test_a_spatial_frequency_is_taken_at_the_energy_given_or_the_bundle_s(tiny_bundle, camera):
    stated = Pattern(camera(), Calibration(pixel_per_nm=0.16))
    options = {energy: PredictOptions(convergence_mrad=14.0, energy_kev=energy) for energy in (None, 200.0, 300.0)}
    found = {energy: prepare(tiny_bundle, stated, one).conditions for energy, one in options.items()}
    assert found[None].pixel_mrad == found[200.0].pixel_mrad == pytest.approx(0.4013, abs=1e-4)
    assert found[300.0].pixel_mrad == pytest.approx(0.3150, abs=1e-4)
    assert found[None].energy_kev is None, "the bundle's energy is not one that the file stated"


@pytest.mark.parametrize(
    ("oblong", "given", "told"), [(1.03, None, True), (1.001, None, False), (1.0, None, False), (1.03, 0.4, False)]
)
def test_oblong_pixels_are_told_where_they_are_used(oblong, given, told):
    findings = Findings()
    note_pixel(findings, Calibration(pixel_mrad=0.4, oblong=oblong), PredictOptions(pixel_mrad=given))
    expected = ["pixels are oblong by 3.0 %: their mean edge was used"] if told else []
    assert findings.reasons == expected and findings.verdict == "ok"


def test_the_note_reaches_the_result(tiny_bundle, camera):
    from pacbed.analysis.predict import analyse

    stated = Pattern(np.asarray(camera()), Calibration(pixel_mrad=0.4, convergence_mrad=14.0, oblong=1.03))
    result = analyse(tiny_bundle, stated, PredictOptions(refine=False)).result
    assert "pixels are oblong by 3.0 %: their mean edge was used" in result.reasons
