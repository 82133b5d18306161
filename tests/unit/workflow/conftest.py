"""Systems as a configuration would give them, small and changeable."""

from pathlib import Path

import pytest

from pacbed.config.system import SystemConfig

ROOT = Path(__file__).resolve().parents[3]


def _merged(base, changes):
    return {
        **base,
        **{
            key: _merged(base.get(key, {}), value) if isinstance(value, dict) else value
            for key, value in changes.items()
        },
    }


@pytest.fixture(scope="session")
def make_system():
    """A system of SrTiO3; keywords name sections and hold what differs in them."""

    def system(**changes):
        base = {
            "crystal": {"cif": str(ROOT / "structures" / "srtio3.cif"), "zone_axis": [0, 0, 1]},
            "beam": {"energy_kev": 200},
            "grid": {
                "thickness_nm": {"start": 1, "stop": 100, "step": 1},
                "convergence_mrad": [13, 15],
                "mistilt_mrad": {"start": 0, "stop": 5, "step": 1},
            },
            "simulation": {"blocks": 4},
        }
        return SystemConfig.model_validate(_merged(base, changes))

    return system
