"""What a thickness budget is told: the system's numerics and grid, and the uncertainties of its model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Self

from pacbed.config.sections import ModelErrorConfig
from pacbed.simulation.table.settings import pitch_of, spacing_of


@dataclass(frozen=True)
class BudgetSettings:
    """Settings of `model_error`.

    Attributes
    ----------
    thickness_max_nm : float
        Largest thickness of the system [nm].
    grid_convergence_mrad : sequence of float
        Semi-convergence angles of its grid [mrad].
    field_mrad : float
        Largest scattered angle [mrad].
    direction_pitch_mrad : float or str
        Distance of directions of its rocking table [mrad], or "auto".
    plane_spacing_nm : float or str
        Distance of its thickness planes [nm], or "auto".
    propagator : str
        As the system's.
    batch : int
        Directions propagated together.
    choices : ModelErrorConfig
        The section `evaluation.model_error` of the configuration: what is varied, by how much, and where the bias is
        measured.
    """

    thickness_max_nm: float
    grid_convergence_mrad: Sequence[float]
    field_mrad: float
    direction_pitch_mrad: float | str
    plane_spacing_nm: float | str
    propagator: str
    batch: int
    choices: ModelErrorConfig

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Self:
        """Settings from the plain values of a rule's parameters, named as the attributes."""
        return cls(**{**values, "choices": ModelErrorConfig.model_validate(values["choices"])})

    def measured(self, structure_dir: str | Path) -> Self:
        """The same, with what is "auto" as it was measured for the slice potentials in a folder."""
        return replace(
            self,
            direction_pitch_mrad=pitch_of(structure_dir, self.direction_pitch_mrad),
            plane_spacing_nm=spacing_of(structure_dir, self.plane_spacing_nm),
        )

    def plain(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {**asdict(self), "choices": self.choices.model_dump()}
