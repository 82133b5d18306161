import pytest

from pacbed.config.sections import ModelErrorConfig
from pacbed.evaluation.budget.settings import BudgetSettings

PLAIN = {
    "thickness_max_nm": 10.0,
    "grid_convergence_mrad": [13.0, 15.0],
    "field_mrad": 35.0,
    "direction_pitch_mrad": 1.0,
    "plane_spacing_nm": 1.0,
    "propagator": "exact",
    "batch": 64,
}


@pytest.fixture(scope="session")
def budget_settings():
    """Function that makes settings as a rule's parameters do; `choices` are those that differ from the default."""

    def make(choices=None, **changes):
        return BudgetSettings.of({**PLAIN, **changes, "choices": ModelErrorConfig(**(choices or {})).model_dump()})

    return make
