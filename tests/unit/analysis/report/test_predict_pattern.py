import json

import numpy as np
import pytest
import tifffile

from pacbed.analysis.options import PredictOptions
from pacbed.analysis.report.predict_pattern import predict_pattern
from pacbed.analysis.result import read_result
from pacbed.errors import ParameterError


@pytest.fixture
def files(camera, tmp_path):
    """A recorded pattern, and where result and sheet go."""
    tifffile.imwrite(tmp_path / "film.tif", camera().astype(np.uint16))
    return tmp_path / "film.tif", {"out_json": tmp_path / "out" / "film.json", "out_png": tmp_path / "out" / "film.png"}


def test_result_and_sheet_are_written(tiny_bundle, files, tmp_path):
    pattern, out = files
    result = predict_pattern(tiny_bundle, pattern, PredictOptions(convergence_mrad=14.0), **out)
    assert json.loads(out["out_json"].read_text())["provenance"]["input"] == "film.tif"
    assert result.thickness_nm.value == pytest.approx(8.0, abs=0.2)
    assert out["out_png"].read_bytes()[:4] == b"\x89PNG"
    assert sorted(file.name for file in (tmp_path / "out").iterdir()) == ["film.json", "film.png"]


def test_the_sheet_for_printing_and_the_best_match_are_written_if_asked_for(tiny_bundle, files, tmp_path):
    pattern, out = files
    more = {"out_pdf": tmp_path / "film.pdf", "out_match": tmp_path / "film_match.tif"}
    predict_pattern(tiny_bundle, pattern, PredictOptions(convergence_mrad=14.0, refine=False), **out, **more)
    assert more["out_pdf"].read_bytes()[:5] == b"%PDF-"
    recorded, found = tifffile.imread(pattern), tifffile.imread(more["out_match"])
    assert found.shape == recorded.shape and found.dtype == np.float32
    assert np.nanmean(found) == pytest.approx(recorded[np.isfinite(found)].mean(), rel=0.01)


def test_a_refusal_is_a_result(tiny_bundle, files):
    pattern, out = files
    options = PredictOptions(convergence_mrad=14.0, energy_kev=80.0, refine=False)
    assert predict_pattern(tiny_bundle, pattern, options, **out).verdict == "refused"
    assert read_result(out["out_json"]).verdict == "refused"
    assert out["out_png"].is_file()


def test_bad_input_writes_nothing(tiny_bundle, files, tmp_path):
    pattern, out = files
    with pytest.raises(ParameterError, match="convergence_mrad"):
        predict_pattern(tiny_bundle, pattern, PredictOptions(convergence_mrad=90.0), **out)
    assert not (tmp_path / "out").exists()
