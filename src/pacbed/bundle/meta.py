"""What ``bundle.json`` says of a bundle: trained ranges, thickness budget, thresholds, metrics, versions, hashes."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, Literal, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from pacbed.errors import FormatError
from pacbed.outputs import check_version

SCHEMA_VERSION = 4
OLDEST_VERSION = 1  # a model error that is one share of every thickness


class Section(BaseModel):
    """Base of every part: unknown fields and infinities are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Ranges(Section):
    """Lowest and highest value of what the networks were trained on."""

    thickness_nm: tuple[float, float]
    convergence_mrad: tuple[float, float]
    mistilt_mrad: tuple[float, float]

    def largest(self) -> tuple[float, float, float]:
        """Largest thickness [nm], semi-convergence angle and mistilt [mrad]."""
        return self.thickness_nm[1], self.convergence_mrad[1], self.mistilt_mrad[1]


class ModelEffect(Section):
    """One thing the simulation does not know, and what it is worth."""

    size: float = Field(ge=0, description="how much was varied")
    unit: str
    source: str
    counted: bool = Field(description="part of the budget, or an outer bound")
    signs: list[int] = Field(min_length=1, description="directions of the variation")
    bias_nm: list[float] = Field(description="size of the bias at the budget's thicknesses")


class ModelError(Section):
    """What the simulation does not know, as a budget of the fitted thickness."""

    thickness_nm: list[float] = Field(min_length=1)
    std_nm: list[float] = Field(description="standard deviation at these thicknesses")
    effects: dict[str, ModelEffect] = Field(default_factory=dict)
    source: str

    @model_validator(mode="after")
    def _is_a_curve(self) -> Self:
        curves = [self.std_nm, *(effect.bias_nm for effect in self.effects.values())]
        if any(len(curve) != len(self.thickness_nm) or min(curve) < 0 for curve in curves):
            raise ValueError("std_nm and bias_nm need one value from 0 up for each thickness")
        if self.thickness_nm[0] <= 0 or any(b <= a for a, b in pairwise(self.thickness_nm)):
            raise ValueError("thickness_nm must be positive and ascending")
        return self

    @classmethod
    def share(cls, relative: float, source: str) -> Self:
        """The same share of every thickness."""
        return cls(thickness_nm=[100.0], std_nm=[100.0 * relative], source=source)

    def std_at(self, thickness_nm: float) -> float:
        """Standard deviation of a thickness [nm]: linear between the budget's, and in proportion beyond its ends."""
        if thickness_nm > self.thickness_nm[-1]:
            return self.std_nm[-1] * thickness_nm / self.thickness_nm[-1]
        return float(np.interp(thickness_nm, [0.0, *self.thickness_nm], [0.0, *self.std_nm]))


class Preprocessing(Section):
    """How a pattern reaches the networks."""

    scale_iterations: int = Field(5, ge=1, description="rounds of the scale loop, n of eq. (1) of Oberaigner 2023")
    scale_tolerance: float = Field(0.03, gt=0, description="the loop has converged when the scale is this near to 1")
    candidates: int = Field(3, ge=1, le=3)
    candidate_width_nm: float = Field(3, gt=0, description="half width of a peak of the thickness distribution")
    candidate_probability: float = Field(0.03, ge=0, le=1, description="least probability of a candidate")


class PriorWidths(Section):
    """Widths of the priors that keep a refinement from drifting along what a pattern does not determine."""

    # ASSUME: a nominal convergence angle is right to 2 %, a calibrated pixel size to 3 % (an estimate).
    convergence_relative: float = Field(0.02, gt=0)
    pixel_relative: float = Field(0.03, gt=0)


class Thresholds(Section):
    """When a result is doubtful or refused."""

    misfit_doubtful: float = Field(0.12, gt=0, description="misfit beyond noise")
    misfit_refused: float = Field(0.25, gt=0, description="misfit beyond noise")
    misfit_noise: float = Field(0.95, gt=0, description="misfit of any origin above which nothing is left to judge")
    ambiguous_ratio: float = Field(1.15, ge=1, description="misfit of another thickness over that of the best")
    ambiguous_nm: float = Field(3.0, gt=0, description="thicknesses this near count as the same")
    networks_sure: float = Field(0.5, ge=0, le=1, description="probability above which a network's answer counts")
    networks_apart: float = Field(3.0, gt=0, description="from the fit's thickness, in combined standard deviations")
    noise_alone: float = Field(0.3, gt=0, description="share of noise on coarse pixels that networks alone cannot bear")
    thin_nm: float = Field(3.0, ge=0, description="below it every crystal is a flat disk")
    convergence_relative: float = Field(0.03, gt=0, description="refined against given convergence angle")
    pixel_relative: float = Field(0.05, gt=0, description="refined against given pixel size")
    energy_relative: float = Field(0.01, gt=0, description="given against the bundle's beam energy")
    saturated_fraction: float = Field(0.01, ge=0, le=1, description="of earlier versions; not used")
    saturated_disk: float = Field(0.3, ge=0, le=1, description="saturated share of the bright region's pixels")
    unused_disk: float = Field(0.5, ge=0, le=1, description="share of the bright region's pixels that are hidden")
    radius_px: float = Field(4.5, gt=0, description="radius of the bright region below which it shows nothing")
    fitted_pixels: int = Field(150, gt=0, description="pixels in the fit below which it shows nothing")
    radius_relative: float = Field(0.15, gt=0, description="radius of the bright region beyond those of the library")
    residual_patch: float = Field(0.12, gt=0, description="smoothed residual over the level of the disk")
    std_relative: float = Field(0.15, gt=0, description="standard deviation over the thickness")
    inside: float = Field(0.98, ge=0, le=1, description="share of the bright region's rim inside the frame")


class BundleMeta(Section):
    """Content of ``bundle.json``."""

    schema_version: Literal[4] = 4
    system: str
    crystal: dict[str, Any]
    energy_kev: float
    trained: Ranges
    max_angle_mrad: float = Field(description="half width of the field of view at scale 1")
    stack_pixels: int = Field(description="edge of a pattern of the stack")
    class_values: dict[str, list[float]] = Field(description="by network; empty in a bundle without networks")
    model_error: ModelError
    preprocessing: Preprocessing = Field(default_factory=Preprocessing)
    priors: PriorWidths = Field(default_factory=PriorWidths)
    thresholds: Thresholds = Field(default_factory=Thresholds)
    metrics: dict[str, Any]
    versions: dict[str, str]
    members: dict[str, str] = Field(description="SHA-256 of every other member")


def read_meta(data: Any) -> BundleMeta:
    """Content of a ``bundle.json`` of this version or one before.

    Parameters
    ----------
    data : object
        What the JSON file holds.

    Raises
    ------
    FormatError
        Another version, or fields that are missing, unknown or out of bounds.
    """
    version = data.get("schema_version") if isinstance(data, dict) else None
    check_version("bundle.json", version, current=SCHEMA_VERSION, oldest=OLDEST_VERSION)
    try:
        return BundleMeta.model_validate(_upgraded(data, version))
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(name) for name in first["loc"])
        raise FormatError(f"bundle.json: {key}: {first['msg']}") from None


def _upgraded(data: dict[str, Any], version: object) -> dict[str, Any]:
    """Fields as they are now.

    Up to version 2 networks were all Cartesian, which their own descriptions tell. Up to version 3 thresholds were
    everywhere the same, and none of them had been measured on degraded patterns: the present ones count.
    """
    data = _from_version_1(data) if version == 1 else data
    kept = {name: value for name, value in data.items() if name != "thresholds" or version == SCHEMA_VERSION}
    return kept | {"schema_version": SCHEMA_VERSION}


def _from_version_1(data: dict[str, Any]) -> dict[str, Any]:
    try:
        old = data["model_error"]
        share = ModelError.share(float(old["relative_thickness"]), str(old["source"]))
    except (KeyError, TypeError, ValueError) as error:
        raise FormatError(f"bundle.json: model_error: damaged or incomplete ({error})") from None
    return data | {"model_error": share.model_dump()}
