"""Measured patterns, if there are any: `make demo`, then `PACBED_EXPERIMENTAL_DIR=... make test`.

Each must come through to a result and a sheet. What they say is printed (`pytest -s`), not judged: labels are opinions.
"""

import os
from pathlib import Path

import pytest

pytestmark = pytest.mark.experimental
ROOT = Path(__file__).resolve().parents[2]
BUNDLE = ROOT / "results" / "demo" / "bundle" / "demo.pacbed"
FOLDER = os.environ.get("PACBED_EXPERIMENTAL_DIR")
PATTERNS = sorted((Path(FOLDER) / "srtio3_200kv").glob("*.jpg")) if FOLDER else []
CONVERGENCE_MRAD = 13.6  # nominal, of SrTiO3 [001] at 200 kV in the DeepDiffraction database


@pytest.fixture(scope="module")
def bundle():
    if not FOLDER:
        pytest.skip("PACBED_EXPERIMENTAL_DIR is not set")
    if not BUNDLE.is_file():
        pytest.skip(f"no {BUNDLE.relative_to(ROOT)}: run make demo first")
    from pacbed.bundle.reader import load_bundle

    return load_bundle(BUNDLE)


@pytest.mark.parametrize("pattern", PATTERNS or [None], ids=lambda path: path.stem if path else "none")
def test_measured_pattern_comes_through_to_a_sheet(bundle, pattern, tmp_path):
    from pacbed.analysis.options import PredictOptions
    from pacbed.analysis.report.predict_pattern import predict_pattern

    assert pattern is not None, f"no srtio3_200kv/*.jpg below {FOLDER}"
    json_file, sheet = tmp_path / "result.json", tmp_path / "sheet.png"
    options = PredictOptions(convergence_mrad=CONVERGENCE_MRAD)
    result = predict_pattern(bundle, pattern, options, out_json=json_file, out_png=sheet)
    print(f"\n{pattern.name}: {result.thickness_nm}, {result.verdict}, {'; '.join(result.reasons)}")
    assert json_file.is_file()
    assert sheet.read_bytes().startswith(b"\x89PNG")
    assert result.verdict in ("ok", "doubtful", "refused")
