"""The typed configuration: one model per section, units in the names, unknown keys refused.

`python -m pacbed.config --write-schema config/schema.json` writes the JSON schema that editors use for completion.
"""

import argparse
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import (
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    RootModel,
    StringConstraints,
    Tag,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from pacbed.config_schema import describe_problems
from pacbed.errors import ConfigError

SCHEMA_VERSION = 1
MAX_VALUES = 10_000  # of one range; a mistyped step must not fill the memory

Auto = Literal["auto"]
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]+$")]
Index = Annotated[int, Field(ge=-20, le=20)]
GridPixels = Annotated[int, Field(ge=16, le=4096)]
Positive = Annotated[float, Field(gt=0)]
Sigma = Annotated[float, Field(ge=0, le=1)]


def refuse(path: str, got: object, accepted: str) -> PydanticCustomError:
    """Finding of a check that the types cannot express; `path` is relative to the model that checks."""
    context = {"path": tuple(path.split(".")) if path else (), "got": str(got), "accepted": accepted}
    return PydanticCustomError("not_accepted", "accepted: {accepted}", context)


class Section(BaseModel):
    """Base of every section: unknown keys, infinities and later changes are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Range(Section):
    """Evenly spaced values from `start` to `stop`, both included."""

    start: float = Field(description="first value")
    stop: float = Field(description="last value, included")
    step: float = Field(gt=0, description="distance between neighbours")

    @model_validator(mode="after")
    def _reaches_stop(self) -> Self:
        steps = (self.stop - self.start) / self.step
        if not 0 <= steps < MAX_VALUES:
            raise refuse(
                "",
                f"start {self.start:g}, stop {self.stop:g}, step {self.step:g}",
                f"stop at or above start, at most {MAX_VALUES} values",
            )
        if abs(steps - round(steps)) > 1e-6:
            raise refuse("step", f"{self.step:g}", f"a step that leads from {self.start:g} exactly to {self.stop:g}")
        return self

    def values(self) -> list[float]:
        """All values, ascending."""
        return [round(self.start + i * self.step, 9) for i in range(round((self.stop - self.start) / self.step) + 1)]


class ValueList(RootModel[Annotated[list[float], Field(min_length=1, max_length=MAX_VALUES)]]):
    """Values given one by one, strictly ascending."""

    model_config = ConfigDict(frozen=True, allow_inf_nan=False)

    @model_validator(mode="after")
    def _ascending(self) -> Self:
        if any(b <= a for a, b in zip(self.root, self.root[1:], strict=False)):
            raise refuse("", self.root, "a strictly ascending list of numbers")
        return self

    def values(self) -> list[float]:
        """All values, ascending."""
        return list(self.root)


def _kind(value: object) -> str:
    if isinstance(value, str):
        return "auto"
    return "list" if isinstance(value, list | tuple | ValueList) else "range"


Values = Annotated[Annotated[Range, Tag("range")] | Annotated[ValueList, Tag("list")], Discriminator(_kind)]
ValuesOrAuto = Annotated[
    Annotated[Range, Tag("range")] | Annotated[ValueList, Tag("list")] | Annotated[Auto, Tag("auto")],
    Discriminator(_kind),
]


class CrystalConfig(Section):
    """The crystal and how its atoms scatter."""

    cif: Path = Field(description="CIF file, relative to the working directory")
    zone_axis: tuple[Index, Index, Index] = Field(
        description="[u, v, w] of the direct lattice; it points to the source"
    )
    thermal_model: Literal["debye_waller_absorptive", "debye_waller", "none"] = Field(
        "debye_waller_absorptive",
        description="damping by thermal vibration, with or without thermal diffuse absorption",
    )
    parametrization: Literal["lobato", "kirkland"] = Field("lobato", description="electron scattering factors")

    @field_validator("zone_axis")
    @classmethod
    def _not_zero(cls, axis: tuple[int, int, int]) -> tuple[int, int, int]:
        if not any(axis):
            raise refuse("", list(axis), "three integers that are not all 0")
        return axis


class BeamConfig(Section):
    """The electron beam."""

    energy_kev: float = Field(ge=20, le=1000, description="beam energy [keV]")


class GridConfig(Section):
    """The parameters the stack and the networks cover."""

    thickness_nm: Values = Field(description="crystal thickness along the beam [nm]")
    convergence_mrad: Values = Field(description="semi-convergence angle [mrad]")
    mistilt_mrad: Values = Field(description="angle between beam and zone axis [mrad]")
    azimuth_deg: ValuesOrAuto = Field(
        "auto", description="direction of the mistilt [deg]; auto: all that symmetry leaves distinct"
    )
    azimuth_step_deg: float = Field(18, gt=0, le=180, description="step of azimuth_deg: auto [deg]")

    @field_validator("thickness_nm", "convergence_mrad", "mistilt_mrad")
    @classmethod
    def _within(cls, values: Range | ValueList, info: Any) -> Range | ValueList:
        lowest, highest = {"thickness_nm": (0.1, 1000), "convergence_mrad": (0.5, 100), "mistilt_mrad": (0, 100)}[
            info.field_name
        ]
        given = values.values()
        if given[0] < lowest or given[-1] > highest:
            raise refuse(
                "",
                f"{given[0]:g} to {given[-1]:g}",
                f"values from {lowest:g} to {highest:g} [{info.field_name.rsplit('_')[-1]}]",
            )
        return values


class RefereeConfig(Section):
    """Comparison of the rocking table with direct simulations of whole probes."""

    cells: int = Field(6, ge=2, le=64, description="edge of the supercell [cells]")
    patterns: int = Field(3, ge=1, le=50, description="parameter sets compared")
    max_thickness_nm: float = Field(20, gt=0, le=1000, description="thickest of these sets [nm]")
    full_thickness: bool = Field(True, description="compare one more set at the full thickness")
    seed: int = Field(1, ge=0, description="seed of the draw of the sets")
    tolerance: float = Field(2e-3, gt=0, le=1, description="largest accepted relative L2 difference")


class SimulationConfig(Section):
    """Numerics of the rocking table."""

    propagator: Literal["exact", "fresnel"] = Field("exact", description="free-space propagator")
    grid_px: Auto | tuple[GridPixels, GridPixels] = Field(
        "auto", description="grid of one cell [pixels]; auto: the smallest that loses little"
    )
    slice_depth_nm: Auto | Positive = Field("auto", description="thickness of a slice [nm]")
    direction_pitch_mrad: Auto | Positive = Field("auto", description="distance between incident directions [mrad]")
    max_angle_mrad: Auto | Positive = Field(
        "auto", description="half width of the field of view [mrad]; auto: 1.5 times the largest convergence angle"
    )
    blocks: int = Field(4, ge=1, le=10_000, description="jobs the directions are split into")
    batch: int = Field(64, ge=1, le=100_000, description="directions propagated together")
    tolerance: float = Field(2e-3, gt=0, le=1, description="accepted relative error of a rendered pattern")
    referee: RefereeConfig = Field(default_factory=RefereeConfig, description="check against direct simulation")


class StackConfig(Section):
    """The stack of rendered patterns."""

    pixels: int = Field(200, ge=16, le=2048, description="edge of a pattern [pixels]")
    validation_fraction: float = Field(0.05, gt=0, lt=1, description="share of the thickness series held out")
    seed: int = Field(1, ge=0, description="seed of that split")


class EpochsConfig(Section):
    """Passes over the training samples, per network."""

    scale: int = Field(10, ge=1, le=10_000, description="network for the pixel size")
    thickness: int = Field(10, ge=1, le=10_000, description="network for the thickness")
    mistilt: int = Field(10, ge=1, le=10_000, description="network for the mistilt")


class TrainingConfig(Section):
    """Training of the three networks."""

    recipe: Literal["compact", "paper"] = Field(
        "compact", description="small convolutional network, or Xception as in the paper"
    )
    pixels: int = Field(
        64, ge=16, le=1024, description="edge of a network's input [pixels]; 64 for compact, 200 for paper if left out"
    )
    samples: int = Field(24_000, ge=8, description="rendered training patterns per network")
    validation_samples: int = Field(2_000, ge=8, description="rendered validation patterns per network")
    epochs: EpochsConfig = Field(default_factory=EpochsConfig, description="passes over the samples")
    batch_size: int = Field(64, ge=1, le=8192, description="patterns per training step")
    learning_rate: float = Field(1e-3, gt=0, le=1, description="largest learning rate")
    scale_range: tuple[Positive, Positive] = Field((0.7, 1.4), description="pixel size relative to the simulated one")
    scale_step: float = Field(0.02, gt=0, le=1, description="width of a class of the scale network")
    noise_max: Sigma = Field(0.1, description="largest Gaussian noise, sigma over the pattern's maximum")
    seed: int = Field(1, ge=0, description="seed of draws, weights and order")

    @model_validator(mode="before")
    @classmethod
    def _paper_pixels(cls, data: Any) -> Any:
        # The paper's Xception takes 200 x 200 pixels.
        if isinstance(data, Mapping) and data.get("recipe") == "paper":
            return {"pixels": 200, **data}
        return data

    @field_validator("scale_range")
    @classmethod
    def _around_one(cls, values: tuple[float, float]) -> tuple[float, float]:
        if not 0.2 <= values[0] < 1 < values[1] <= 5:
            raise refuse("", list(values), "[lowest, highest] with 0.2 <= lowest < 1 < highest <= 5")
        return values


class EvaluationConfig(Section):
    """Measurement of the errors after training."""

    noise_levels: Annotated[list[Sigma], Field(min_length=1)] = Field(
        [0.0, 0.05, 0.1], description="Gaussian sigma over the pattern's maximum"
    )
    patterns: int = Field(100, ge=1, description="patterns per noise level")
    seed: int = Field(1, ge=0, description="seed of the draw")


class PatternConfig(Section):
    """A measured pattern; what the file itself says may be left out."""

    path: Path = Field(description="image file, relative to the working directory")
    convergence_mrad: float | None = Field(None, gt=0, le=100, description="semi-convergence angle [mrad]")
    energy_kev: float | None = Field(None, ge=20, le=1000, description="beam energy [keV]")
    pixel_mrad: float | None = Field(None, gt=0, le=100, description="pixel size [mrad]")
    dataset: str | None = Field(None, description="path inside an HDF5 file")
    mirrored: bool = Field(False, description="the camera shows the pattern mirrored")


class DatasetConfig(Section):
    """A 4D-STEM data set to be mapped."""

    path: Path = Field(description="data file, relative to the working directory")
    convergence_mrad: float | None = Field(None, gt=0, le=100, description="semi-convergence angle [mrad]")
    energy_kev: float | None = Field(None, ge=20, le=1000, description="beam energy [keV]")
    pixel_mrad: float | None = Field(None, gt=0, le=100, description="pixel size [mrad]")
    dataset: str | None = Field(None, description="path inside an HDF5 file")
    window: int = Field(1, ge=1, le=256, description="scan positions averaged along each edge")


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
    """Read YAML files, merge them as Snakemake does (later ones win, mappings join) and check the result."""
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


def main(arguments: list[str] | None = None) -> None:
    """Write the JSON schema."""
    parser = argparse.ArgumentParser(prog="python -m pacbed.config")
    parser.add_argument("--write-schema", type=Path, required=True, metavar="FILE")
    target = parser.parse_args(arguments).write_schema
    target.write_text(json.dumps(config_schema(), indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
