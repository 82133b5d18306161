"""Findings: good or bad, and what the first stage leaves of them for the gate."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pacbed.errors import FormatError
from pacbed.outputs import write_json
from pacbed.simulation.structure.finding import EVIDENCE, Finding, as_evidence, measured_findings
from pacbed.simulation.structure.settings import PatternLimits

LIMITS = PatternLimits(
    thickness_max_nm=8.0, alpha_max_mrad=5.0, tau_max_mrad=2.0, max_angle_mrad=8.0, propagator="exact", tolerance=1e-3
)


def test_findings_by_hand():
    good = Finding("grid", "relative L2", [1e-3, 2e-3], 2e-3, "grid_px: [4, 4]")
    assert good.as_json() == {
        "name": "grid", "what": "relative L2", "values": [1e-3, 2e-3], "worst": 2e-3, "tolerance": 2e-3, "proposal": []
    }  # fmt: skip
    bad = replace(good, tolerance=1.9e-3)
    assert not bad.good
    assert bad.as_json()["proposal"] == ["grid_px: [4, 4]"]
    assert not replace(good, values=[float("nan")]).good


def test_what_was_measured_is_read_again_for_the_same_patterns_only(tmp_path):
    finding = Finding("grid", "relative L2", [1e-3, 2e-3], 2e-3, "grid_px: [4, 4]")
    assert measured_findings(tmp_path, LIMITS) == {}
    write_json({"direction_pitch_mrad": 1.0}, tmp_path / "numerics.json")
    assert measured_findings(tmp_path, LIMITS) == {}
    write_json({EVIDENCE: as_evidence([finding], LIMITS)}, tmp_path / "numerics.json")
    found = measured_findings(tmp_path, LIMITS)
    assert list(found) == ["grid"]
    assert found["grid"].as_json() == finding.as_json()
    assert measured_findings(tmp_path, replace(LIMITS, thickness_max_nm=9.0)) == {}
    assert measured_findings(tmp_path, replace(LIMITS, tolerance=2e-3)) == {}


@pytest.mark.parametrize("content", ["{", "[]", '{"evidence": {"checks": []}}', '{"evidence": 3}'])
def test_damaged_evidence_is_refused(tmp_path, content):
    (tmp_path / "numerics.json").write_text(content)
    with pytest.raises(FormatError, match=r"numerics\.json: damaged"):
        measured_findings(tmp_path, LIMITS)
