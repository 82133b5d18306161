"""What ``bundle.json`` says: ranges, preprocessing, thresholds, metrics, versions, hashes."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

SCHEMA_VERSION = 1


class Section(BaseModel):
    """Base of every part: unknown fields and infinities are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Ranges(Section):
    """Lowest and highest value of what the networks were trained on."""

    thickness_nm: tuple[float, float]
    convergence_mrad: tuple[float, float]
    mistilt_mrad: tuple[float, float]


class ModelError(Section):
    """What the simulation does not know, as a share of the thickness."""

    # ASSUME: 2 % of the thickness; bonding, Debye-Waller factors, absorption, parametrisation, voltage and plasmon blur
    # are expected to be worth 1-3 % (docs/physics.md). A budget per system will take its place.
    relative_thickness: float = Field(0.02, ge=0, description="standard deviation over thickness")
    source: str = "expected 1-3 % of the thickness (physics of independent atoms, Debye-Waller factors, absorption)"


class Preprocessing(Section):
    """How a pattern reaches the networks."""

    scale_iterations: int = Field(5, ge=1, description="rounds of the scale loop, n of eq. (1) of Oberaigner 2023")
    scale_tolerance: float = Field(0.03, gt=0, description="the loop has converged when the scale is this near to 1")
    candidates: int = Field(3, ge=1, le=3)
    candidate_width_nm: float = Field(3, gt=0, description="half width of a peak of the thickness distribution")
    candidate_probability: float = Field(0.03, ge=0, le=1, description="least probability of a candidate")


class Priors(Section):
    """Weak knowledge that keeps the refinement from drifting along what a pattern does not determine."""

    # ASSUME: a nominal convergence angle is right to 2 %, a calibrated pixel size to 3 %.
    convergence_relative: float = Field(0.02, gt=0)
    pixel_relative: float = Field(0.03, gt=0)


class Thresholds(Section):
    """When a result is doubtful or refused."""

    misfit_doubtful: float = Field(0.12, gt=0, description="misfit beyond noise")
    misfit_refused: float = Field(0.25, gt=0, description="misfit beyond noise")
    misfit_noise: float = Field(0.90, gt=0, description="misfit of any origin above which nothing is left to judge")
    ambiguous_ratio: float = Field(1.15, ge=1, description="misfit of another thickness over that of the best")
    ambiguous_nm: float = Field(3.0, gt=0, description="thicknesses this near count as the same")
    thin_nm: float = Field(3.0, ge=0, description="below it every crystal is a flat disk")
    convergence_relative: float = Field(0.03, gt=0, description="refined against given convergence angle")
    pixel_relative: float = Field(0.05, gt=0, description="refined against given pixel size")
    energy_relative: float = Field(0.01, gt=0, description="given against the bundle's beam energy")
    saturated_fraction: float = Field(0.01, ge=0, le=1)
    inside: float = Field(0.98, ge=0, le=1, description="share of the bright region's rim inside the frame")


class BundleMeta(Section):
    """Content of ``bundle.json``."""

    schema_version: Literal[1] = 1
    system: str
    crystal: dict[str, Any]
    energy_kev: float
    trained: Ranges
    max_angle_mrad: float = Field(description="half width of the field of view at scale 1")
    stack_pixels: int = Field(description="edge of a pattern of the stack")
    class_values: dict[str, list[float]]
    model_error: ModelError
    preprocessing: Preprocessing = Field(default_factory=Preprocessing)
    priors: Priors = Field(default_factory=Priors)
    thresholds: Thresholds = Field(default_factory=Thresholds)
    metrics: dict[str, Any]
    versions: dict[str, str]
    members: dict[str, str] = Field(description="SHA-256 of every other member")
