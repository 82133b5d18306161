"""The sections of a system's configuration: every key with its description, unit and bounds."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator

from pacbed.config.values import (
    BUNDLE_SUFFIX,
    Auto,
    Positive,
    Range,
    Section,
    Sigma,
    ValueList,
    Values,
    ValuesOrAuto,
    ZoneAxis,
    refuse,
)

LIMITS = {
    "thickness_nm": (0.1, 1000),
    "convergence_mrad": (0.5, 100),
    "mistilt_mrad": (0, 100),
    "azimuth_deg": (-360, 360),
}
# Mean-square displacement of an atom along one direction [nm^2]; above, the number is a B, or one of Å^2.
DisplacementNm2 = Annotated[float, Field(gt=0, le=2e-3)]
MAX_PATTERNS = 10_000_000  # of a stack; the paper has 128,100
# Where the recipe paper differs: docs/paper-recipe.md. It trains on every pattern of the stack.
PAPER_EPOCHS = {"scale": 5, "thickness": 40, "mistilt": 20}
PAPER = {
    "pixels": 200,
    "samples": MAX_PATTERNS,
    "validation_samples": 10_000,
    "batch_size": 8,
    "learning_rate": 1e-3,
    "scale_range": (0.7, 1.4),
}


class CrystalConfig(Section):
    """The crystal and how its atoms scatter."""

    cif: Path = Field(description="CIF file, relative to the working directory")
    block: str | None = Field(None, description="name of the data block, where the CIF holds several structures")
    accept_contradictions: tuple[Literal["formula", "z", "volume", "density", "metric", "distance"], ...] = Field(
        (), description="what the CIF says of itself and its atoms need not bear out: a warning in place of a refusal"
    )
    displacements: dict[str, DisplacementNm2] = Field(
        default_factory=dict,
        description="u_iso [nm^2] by label of a site, else by element, where the CIF has no displacement parameters",
    )
    zone_axis: ZoneAxis = Field(
        description="[u, v, w] of the direct lattice, [u, v, -u-v, w] of a hexagonal one; it points to the source"
    )
    thermal_model: Literal["thermal_mean", "debye_waller_absorptive", "debye_waller", "frozen_phonons", "none"] = Field(
        "thermal_mean",
        description="mean over thermal vibration: exact, absorption to second order, or none; or displaced atoms",
    )
    parametrization: Literal["lobato", "kirkland"] = Field("lobato", description="electron scattering factors")
    termination: Literal["top", "average"] = Field(
        "top", description="surface of the slab: the end of the cell, or the mean over all equivalent ones"
    )

    @field_validator("zone_axis")
    @classmethod
    def _is_a_direction(cls, axis: tuple[int, ...]) -> tuple[int, ...]:
        if not any(axis):
            raise refuse("", list(axis), "three integers, or the four of a hexagonal cell, that are not all 0")
        if len(axis) == 4 and sum(axis[:3]) != 0:
            raise refuse("", list(axis), "four integers [u, v, t, w] with t = -(u + v), or three")
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

    @field_validator("thickness_nm", "convergence_mrad", "mistilt_mrad", "azimuth_deg")
    @classmethod
    def _within(cls, values: Range | ValueList | str, info: ValidationInfo) -> Range | ValueList | str:
        name = str(info.field_name)
        if isinstance(values, str):
            return values
        lowest, highest = LIMITS[name]
        given = values.values()
        if given[0] < lowest or given[-1] > highest:
            raise refuse(
                "",
                f"{given[0]:g} to {given[-1]:g}",
                f"values from {lowest:g} to {highest:g} [{name.rsplit('_')[-1]}]",
            )
        return values

    @model_validator(mode="after")
    def _of_a_size_that_fits_a_disk(self) -> Self:
        azimuths = 360 / self.azimuth_step_deg if isinstance(self.azimuth_deg, str) else len(self.azimuth_deg.values())
        axes = (self.thickness_nm, self.convergence_mrad, self.mistilt_mrad)
        patterns = azimuths * math.prod(len(axis.values()) for axis in axes)
        if patterns > MAX_PATTERNS:
            raise refuse(
                "", f"{patterns:.3g} patterns", f"at most {MAX_PATTERNS:,} patterns: coarser steps or less range"
            )
        return self


class StackConfig(Section):
    """The stack of rendered patterns."""

    pixels: int = Field(200, ge=16, le=2048, description="edge of a pattern [pixels]")
    validation_fraction: float = Field(0.05, gt=0, lt=1, description="share of the thickness series held out")
    seed: int = Field(1, ge=0, description="seed of that split")


class EpochsConfig(Section):
    """Passes over the training samples, per network; networks that are trained together take the most of any."""

    scale: int = Field(10, ge=1, le=10_000, description="network for the pixel size")
    thickness: int = Field(10, ge=1, le=10_000, description="network for the thickness")
    mistilt: int = Field(10, ge=1, le=10_000, description="network for the mistilt")


class TrainingConfig(Section):
    """Training of the three networks."""

    recipe: Literal["compact", "paper", "none"] = Field(
        "compact",
        description="small convolutional networks trained together, Xception for each as in the paper, or no networks",
    )
    pixels: int = Field(
        64,
        ge=16,
        le=1024,
        description="edge of the image a network's input is made of [pixels]; for paper 200 if left out",
    )
    samples: int = Field(
        24_000, ge=8, description="rendered training patterns, for all networks; for paper all of the stack if left out"
    )
    validation_samples: int = Field(
        2_000, ge=8, description="rendered validation patterns, for all networks; for paper 10,000 at most if left out"
    )
    epochs: EpochsConfig = Field(
        default_factory=EpochsConfig, description="passes over the samples; for paper 5, 40 and 20 if left out"
    )
    batch_size: int = Field(64, ge=1, le=8192, description="patterns per training step; for paper 8 if left out")
    learning_rate: float = Field(2e-3, gt=0, le=1, description="largest learning rate; 1e-3 for paper if left out")
    scale_range: tuple[Positive, Positive] = Field(
        (0.9, 1.7),
        description="radius of the bright region over the convergence angle; for paper pixel size relative to the "
        "simulated one, [0.7, 1.4] if left out",
    )
    scale_step: float = Field(0.02, gt=0, le=1, description="width of a class of the scale network")
    noise_max: Sigma = Field(
        0.1, description="largest Gaussian noise of a pixel of the stack, sigma over the pattern's maximum"
    )
    seed: int = Field(1, ge=0, description="seed of draws, weights and order")
    weights: Path | None = Field(
        None, description="paper: file of Xception's weights from ImageNet, without its top; random ones if left out"
    )
    start_from: Path | None = Field(
        None,
        description="trained networks of another system, whose convolutions are taken over: a folder (.keras), or with "
        "recipe: compact a bundle (.pacbed)",
    )
    freeze: float = Field(
        0.25, ge=0, lt=1, description="share of the epochs in which convolutions that were taken over stay as they are"
    )
    fine_tuning: float = Field(
        0.5, gt=0, le=1, description="learning rate after that, when they learn too, over learning_rate"
    )

    @model_validator(mode="before")
    @classmethod
    def _defaults_of_the_paper(cls, data: Any) -> Any:
        if not (isinstance(data, Mapping) and data.get("recipe") == "paper"):
            return data
        epochs = data.get("epochs", {})
        return {**PAPER, **data, "epochs": {**PAPER_EPOCHS, **epochs} if isinstance(epochs, Mapping) else epochs}

    @model_validator(mode="after")
    def _begins_with_one_thing(self) -> Self:
        if self.weights is not None and (self.recipe != "paper" or self.start_from is not None):
            raise refuse("weights", self.weights, "a file with recipe: paper and without start_from")
        if self.start_from is not None and self.start_from.suffix == BUNDLE_SUFFIX and self.recipe != "compact":
            raise refuse("start_from", self.start_from, "a folder such as results/<system>/models")
        return self

    @field_validator("scale_range")
    @classmethod
    def _around_one(cls, values: tuple[float, float]) -> tuple[float, float]:
        if not 0.2 <= values[0] < 1 < values[1] <= 5:
            raise refuse("", list(values), "[lowest, highest] with 0.2 <= lowest < 1 < highest <= 5")
        return values


class ModelErrorConfig(Section):
    """Thickness budget: what is varied, by how much, and where the bias of a fit is measured."""

    convergence_mrad: Auto | Positive = Field(
        "auto", description="semi-convergence angle [mrad]; auto: the middle of the grid's"
    )
    mistilt_mrad: float = Field(0, ge=0, le=20, description="mistilt, besides none [mrad]; 0 measures on the axis only")
    thickness_step_nm: float = Field(
        10, gt=0, le=1000, description="distance of thicknesses [nm]; 5 nm is always there"
    )
    coarser_pitch: float = Field(3, ge=1, le=4, description="direction pitch over that of the rocking table")
    displacement_relative: float = Field(0.15, gt=0, lt=1, description="displacement parameters")
    absorption_relative: float = Field(0.2, gt=0, lt=1, description="absorptive potential")
    energy_relative: float = Field(0.002, gt=0, le=0.05, description="beam energy")
    lattice_relative: float = Field(0.001, gt=0, le=0.05, description="lattice parameters")
    bonding_relative: float = Field(0.03, gt=0, lt=1, description="structure factors below 0.5/Å")


class EvaluationConfig(Section):
    """Measurement of the errors after training, and of the model's own."""

    noise_levels: Annotated[list[Sigma], Field(min_length=1)] = Field(
        [0.0, 0.05, 0.1], description="Gaussian sigma over the pattern's maximum"
    )
    electrons: list[Annotated[float, Field(ge=100, le=1e12)]] = Field(
        [1e5], description="electrons counted in a pattern: further levels of noise"
    )
    patterns: int = Field(30, ge=1, description="rendered patterns per noise level")
    direct_patterns: int = Field(12, ge=0, description="patterns per noise level summed from plane waves instead")
    seed: int = Field(1, ge=0, description="seed of the draw")
    model_error: ModelErrorConfig = Field(default_factory=ModelErrorConfig, description="thickness budget")
