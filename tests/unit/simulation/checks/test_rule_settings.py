"""Rules hand over exactly the settings that their stages know by name."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from pacbed.simulation.checks.convergence import ConvergenceSettings
from pacbed.simulation.checks.parameter_sets import RefereeSettings
from pacbed.simulation.checks.referee_phonons import PhononRefereeSettings
from pacbed.simulation.structure.settings import StructureSettings

RULES = Path(__file__).parents[4] / "workflow" / "rules"


@pytest.mark.parametrize(
    ("file", "rule", "settings"),
    [
        ("structure.smk", "orient_structure", StructureSettings),
        ("simulate.smk", "check_convergence", ConvergenceSettings),
        ("accept.smk", "referee_simulation", RefereeSettings),
        ("phonons.smk", "referee_phonons", PhononRefereeSettings),
    ],
)
def test_a_rule_and_its_stage_name_the_same_settings(file, rule, settings):
    text = (RULES / file).read_text().split(f"rule {rule}:")[1].split("\nrule ")[0]
    listed = re.search(r"settings=settings\(\n(.*?)\n        \)", text, flags=re.DOTALL)[1]
    named = re.findall(r"^ +(\w+)=", listed, flags=re.MULTILINE)
    assert sorted(named) == sorted(field.name for field in fields(settings))
