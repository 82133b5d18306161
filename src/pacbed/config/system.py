"""The configuration of a material system: read, merged and checked; units stand in the names of its keys.

`python -m pacbed.config --write-schema config/schema.json` writes the JSON schema that editors use for completion.
"""

import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import Field, ValidationError, model_validator

from pacbed.config.problems import describe_problems
from pacbed.config.recordings import DatasetConfig, PatternConfig
from pacbed.config.sections import (
    BeamConfig,
    CrystalConfig,
    EpochsConfig,
    EvaluationConfig,
    GridConfig,
    ModelErrorConfig,
    StackConfig,
    TrainingConfig,
)
from pacbed.config.simulation import MAX_DIRECTIONS, PhononsConfig, RefereeConfig, ScanConfig, SimulationConfig
from pacbed.config.values import Name, Range, Section, ValueList, refuse
from pacbed.errors import ConfigError

__all__ = [
    "SystemConfig",
    "WorkflowConfig",
    "load_config",
    "validate_config",
    "config_schema",
    "SCHEMA_VERSION",
    "BeamConfig",
    "CrystalConfig",
    "DatasetConfig",
    "EpochsConfig",
    "EvaluationConfig",
    "GridConfig",
    "ModelErrorConfig",
    "PatternConfig",
    "PhononsConfig",
    "RefereeConfig",
    "ScanConfig",
    "SimulationConfig",
    "StackConfig",
    "TrainingConfig",
    "Range",
    "ValueList",
]

SCHEMA_VERSION: Literal[1] = 1


class SystemConfig(Section):
    """One material: crystal, beam, grid, and what is made of it."""

    schema_version: Literal[1] = Field(SCHEMA_VERSION, description="version of this layout")
    crystal: CrystalConfig
    beam: BeamConfig
    grid: GridConfig
    simulation: SimulationConfig = Field(default_factory=SimulationConfig)
    stack: StackConfig = Field(default_factory=StackConfig)
    training: TrainingConfig = Field(default_factory=TrainingConfig)
    evaluation: EvaluationConfig = Field(default_factory=EvaluationConfig)
    patterns: dict[Name, PatternConfig] = Field(default_factory=dict, description="measured patterns by name")
    datasets: dict[Name, DatasetConfig] = Field(default_factory=dict, description="4D-STEM data sets by name")

    @model_validator(mode="after")
    def _field_holds_the_disk(self) -> Self:
        field, largest = self.simulation.max_angle_mrad, self.grid.convergence_mrad.values()[-1]
        if not isinstance(field, str) and field < largest:
            raise refuse(
                "simulation.max_angle_mrad",
                field,
                f"auto or at least the largest convergence angle, {largest:g} [mrad]",
            )
        return self

    @model_validator(mode="after")
    def _scans_have_one_surface(self) -> Self:
        if self.simulation.engine == "scan" and self.crystal.termination != "top":
            raise refuse("crystal.termination", self.crystal.termination, "top with simulation.engine: scan")
        return self

    @model_validator(mode="after")
    def _directions_can_be_counted(self) -> Self:
        pitch = self.simulation.direction_pitch_mrad
        if not isinstance(pitch, str):
            cone = self.grid.convergence_mrad.values()[-1] + self.grid.mistilt_mrad.values()[-1]
            directions = math.pi * (cone / pitch) ** 2
            if directions > MAX_DIRECTIONS:
                least = cone * (math.pi / MAX_DIRECTIONS) ** 0.5
                raise refuse(
                    "simulation.direction_pitch_mrad",
                    f"{pitch:g}, which makes {directions:.2g} directions",
                    f"auto or at least {least:.2g} [mrad], which makes {MAX_DIRECTIONS:,}",
                )
        return self


class WorkflowConfig(Section):
    """Everything Snakemake gets: the systems by name."""

    systems: Annotated[dict[Name, SystemConfig], Field(min_length=1)]


def config_schema() -> dict[str, Any]:
    """JSON schema of a configuration file."""
    return WorkflowConfig.model_json_schema()


def validate_config(data: Mapping[str, Any], *, folder: str | Path = "config") -> WorkflowConfig:
    """Check a merged configuration, as Snakemake or `load_config` hands it over.

    Parameters
    ----------
    data : mapping
        ``{"systems": {name: ...}}``.
    folder : path
        Where ready-made files lie; they are listed when there is no configuration at all.

    Raises
    ------
    ConfigError
        One line per problem: key, value got, what is accepted.
    """
    if not data:
        files = " ".join(str(path) for path in sorted(Path(folder).glob("*.yaml"))) or f"none found in {folder}/"
        raise ConfigError(f"no configuration: choose one or more with --configfile; ready-made: {files}")
    try:
        return WorkflowConfig.model_validate(data)
    except ValidationError as error:
        raise ConfigError("\n".join(describe_problems(error.errors(), config_schema()))) from None


def load_config(files: Iterable[str | Path]) -> WorkflowConfig:
    """Read YAML files, merge them as Snakemake does (later ones win, mappings join) and check the result.

    Raises
    ------
    ConfigError
        A file cannot be read, or what they make together is not accepted.
    """
    merged: dict[str, Any] = {}
    for file in files:
        merged = _merge(merged, _read(Path(file)))
    return validate_config(merged)


def _read(file: Path) -> dict[str, Any]:
    try:
        data = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(f"{file}: cannot be read as YAML ({' '.join(str(error).split())})") from None
    if not isinstance(data, dict):
        raise ConfigError(f"{file}: got {type(data).__name__}, accepted: a mapping with the key systems")
    return data


def _merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    joined = dict(base)
    for key, value in over.items():
        old = joined.get(key)
        joined[key] = _merge(old if isinstance(old, Mapping) else {}, value) if isinstance(value, Mapping) else value
    return joined
