import json
from dataclasses import replace

import pytest
from pydantic import ValidationError

from pacbed.config.sections import ModelErrorConfig
from pacbed.errors import FormatError
from pacbed.evaluation.budget.settings import BudgetSettings


def test_settings_survive_json(budget_settings):
    """What the state of a stopped run is compared by holds every setting."""
    settings = budget_settings({"mistilt_mrad": 2.5})
    assert BudgetSettings.of(json.loads(json.dumps(settings.plain()))) == settings
    assert settings.choices.mistilt_mrad == 2.5


def test_what_is_auto_is_what_was_measured(budget_settings, tmp_path):
    settings = budget_settings(direction_pitch_mrad="auto", plane_spacing_nm=0.7)
    with pytest.raises(FormatError, match=r"numerics\.json"):
        settings.measured(tmp_path)
    (tmp_path / "numerics.json").write_text('{"direction_pitch_mrad": 0.31, "plane_spacing_nm": 9.0}')
    assert settings.measured(tmp_path) == replace(settings, direction_pitch_mrad=0.31)


def test_unknown_and_missing_settings_are_named(budget_settings):
    plain = budget_settings().plain()
    with pytest.raises(TypeError, match="colour"):
        BudgetSettings.of({**plain, "colour": "blue"})
    with pytest.raises(TypeError, match="propagator"):
        BudgetSettings.of({name: value for name, value in plain.items() if name != "propagator"})
    with pytest.raises(ValidationError, match="bonding_relative"):
        BudgetSettings.of({**plain, "choices": {**ModelErrorConfig().model_dump(), "bonding_relative": -1}})
