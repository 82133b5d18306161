"""From the few numbers of `pacbed build` to a whole configuration."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pacbed.config.system import validate_config
from pacbed.errors import ConfigError, bad_value

# A single angle is known to some 2 % (docs/user-guide.md); a bundle covers a little more.
ANGLE_MARGIN = 0.03
MOST_THICKNESSES = 200
NETWORKS = ("none", "compact")
AT_REST = "none"  # in place of displacement parameters


@dataclass(frozen=True)
class BuildRequest:
    """A bundle that somebody asks for.

    Attributes
    ----------
    cif : path
    zone_axis : sequence of int
        [uvw], or [uvtw] of a hexagonal cell.
    energy_kev : float
        Beam energy [keV].
    convergence_mrad : (float, float)
        Smallest and largest semi-convergence angle [mrad]; equal for a single one.
    thickness_max_nm, mistilt_max_mrad : float
        Largest thickness [nm] and mistilt [mrad].
    networks : {"none", "compact"}
    u_iso_nm2 : mapping of str to float, or "none"
        Displacement parameters by label or element [nm^2], where the CIF has none; "none" for atoms at rest.
    block : str, optional
        Data block of the CIF.
    accept_contradictions : tuple of str
        As in `pacbed.crystal.reading.ReadingChoices`.
    """

    cif: Path
    zone_axis: Sequence[int]
    energy_kev: float
    convergence_mrad: tuple[float, float]
    thickness_max_nm: float = 100.0
    mistilt_max_mrad: float = 5.0
    networks: str = "none"
    u_iso_nm2: Mapping[str, float] | str = field(default_factory=dict)
    block: str | None = None
    accept_contradictions: tuple[str, ...] = ()

    def configuration(self, name: str) -> dict[str, Any]:
        """Content of a configuration file with one system.

        Parameters
        ----------
        name : str
            The system's name.

        Raises
        ------
        ConfigError
            A value is out of bounds; all of them in one line.
        """
        asked = {"systems": {name: self._system()}}
        try:
            validate_config(asked)
        except ConfigError as error:
            lines = [line.removeprefix(f"systems.{name}.") for line in str(error).splitlines()]
            raise ConfigError("; ".join(lines)) from None
        return asked

    def _system(self) -> dict[str, Any]:
        crystal: dict[str, Any] = {"cif": str(self.cif.resolve()), "zone_axis": list(self.zone_axis)}
        if self.networks not in NETWORKS:
            raise bad_value("networks", self.networks, " or ".join(NETWORKS))
        if self.u_iso_nm2 == AT_REST:
            crystal["thermal_model"] = "none"
        elif self.u_iso_nm2:
            crystal["displacements"] = dict(self.u_iso_nm2)  # type: ignore[arg-type]
        if self.block is not None:
            crystal["block"] = self.block
        if self.accept_contradictions:
            crystal["accept_contradictions"] = list(self.accept_contradictions)
        trained = self.networks != "none"
        return {
            "crystal": crystal,
            "beam": {"energy_kev": self.energy_kev},
            "grid": {
                "thickness_nm": self._thicknesses(),
                "convergence_mrad": self._angles(0.5 if trained else math.inf),
                "mistilt_mrad": _steps(0.0, self.mistilt_max_mrad, 1.0 if trained else math.inf),
                "azimuth_step_deg": 22.5 if trained else 45,
            },
            # Networks are trained on rendered patterns; the stack serves the evaluation.
            "stack": {"pixels": 100, "validation_fraction": 0.15},
            "training": {"recipe": self.networks},
            # A glance at the errors; more take minutes.
            "evaluation": {"noise_levels": [0.05], "electrons": [], "patterns": 8, "direct_patterns": 0},
        }

    def _thicknesses(self) -> dict[str, float]:
        largest = self.thickness_max_nm
        if not (math.isfinite(largest) and largest >= 1):
            raise bad_value("thickness_max_nm", largest, "a number from 1 to 1000 [nm]")
        step = largest / min(MOST_THICKNESSES, round(largest))
        return {"start": step, "stop": largest, "step": step}

    def _angles(self, step: float) -> list[float]:
        low, high = self.convergence_mrad
        if not 0 < low <= high < math.inf:
            raise bad_value("convergence_mrad", f"{low:g}-{high:g}", "an angle above 0, or two ascending ones [mrad]")
        if low == high:
            low, high = (1 - ANGLE_MARGIN) * low, (1 + ANGLE_MARGIN) * high
        return _steps(low, high, step)


def _steps(low: float, high: float, step: float) -> list[float]:
    """Ends and what lies between, no further apart than a step; three values at least, where the ends differ."""
    if not (low < high < math.inf):  # a single value, or one that the configuration refuses by name
        return [high]
    count = max(2, math.ceil((high - low) / step - 1e-9))
    return [round(low + (high - low) * number / count, 4) for number in range(count + 1)]


def system_name(out: str | Path) -> str:
    """Name of the system of a bundle file: what a configuration accepts of the file's name."""
    return re.sub(r"[^A-Za-z0-9_-]+", "_", Path(out).stem).strip("_") or "system"
