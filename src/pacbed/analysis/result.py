"""The result of a prediction: one JSON file with a schema, readable without this package."""

from __future__ import annotations

import argparse
import json
from math import hypot
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pacbed.errors import FormatError
from pacbed.outputs import write_json, write_text

SCHEMA_VERSION = 1
NORMAL_90 = 1.6449  # half width of the central 90 % of a normal distribution, in standard deviations

Verdict = Literal["ok", "doubtful", "refused"]


class Section(BaseModel):
    """Base of every part: unknown fields, NaN and infinity are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Estimate(Section):
    """A value with its uncertainty; null where it was not determined."""

    value: float
    std: float | None = Field(None, ge=0, description="standard deviation")
    interval_90: tuple[float, float] | None = Field(None, description="central 90 % interval")


class ThicknessEstimate(Estimate):
    """A thickness, with the parts of its uncertainty."""

    std_statistical: float | None = Field(None, ge=0, description="from noise and residuals of this pattern")
    std_effects: float | None = Field(
        None, ge=0, description="from what may have happened to the picture, and which orientation it has"
    )
    std_model: float | None = Field(None, ge=0, description="from what the simulation itself does not know")

    @property
    def std_pattern(self) -> float | None:
        """What this pattern leaves open, however well the crystal is known [nm]; None where it was not determined."""
        known = self.std_statistical
        return None if known is None else hypot(known, self.std_effects or 0.0)


class RotationEstimate(Estimate):
    """A rotation, known up to the crystal's symmetry."""

    modulo_deg: float = Field(gt=0, description="rotations by this angle cannot be told apart [deg]")


class EffectEstimate(Section):
    """Something that may have happened to the picture, as far as the pattern tells."""

    name: str
    unit: str = Field(description="of size and std; empty for shares and ratios")
    size: float
    std: float = Field(ge=0)
    widths: float = Field(ge=0, description="the size over what is usual")
    held_out_gain: float = Field(description="by how much the residual of held-out sectors falls with it, of 1")
    adopted: bool = Field(description="the answer has it in it")
    thickness_shift_nm: float = Field(description="how far it moves the thickness")
    thickness_std_nm: float = Field(ge=0, description="its part of thickness_nm.std_effects")


class Alternative(Section):
    """The other orientation of a crystal, which was fitted as well and fits less well."""

    thickness_nm: float = Field(description="where its fit ended")
    rotation_deg: float
    mirrored: bool = Field(description="the camera shows the pattern mirrored")
    misfit_ratio: float = Field(ge=0, description="its misfit over that of the result")
    decided: bool = Field(description="the result fits better by three standard deviations")


class BeamShares(Section):
    """What a vacuum pattern of the same camera tells, and how much of the beam the pattern holds."""

    source: str = Field(description="file name of the vacuum pattern")
    recorded_share: float = Field(description="share of the beam in the circle that is fitted")
    fitted_share: float = Field(description="part of it that the rendered pattern makes up, as scaled by the fit")
    expected_share: tuple[float, float] = Field(description="elastic, and elastic with all that the table lacks")
    std_relative: float = Field(ge=0, description="standard deviation of a share over its value")
    radius_px: float = Field(gt=0, description="radius of the vacuum disk: convergence angle over pixel size")
    ellipse_percent: tuple[float, float] = Field(
        description="distortion of the vacuum disk: larger along x and smaller along y; larger along x = y"
    )
    edge_px: float = Field(ge=0, description="standard deviation of the blur of the vacuum disk's rim")
    shading_percent: tuple[float, float] = Field(description="change from the disk's centre to its rim along x and y")


class Candidate(Section):
    """A peak of the thickness network's distribution."""

    value: float = Field(description="thickness [nm]")
    probability: float = Field(ge=0, le=1)


class ClassProbabilities(Section):
    """What a network returned."""

    class_values: list[float]
    probability: list[float]


class Provenance(Section):
    """What the result was made from."""

    input: str = Field(description="file name")
    input_sha256: str = Field(description="of the file; of the pattern's array if it is one frame, or in no file")
    bundle: str = Field(description="file name")
    bundle_sha256: str
    versions: dict[str, str]
    parameters: dict[str, Any] = Field(description="everything given or assumed")


class Result(Section):
    """Thickness and whatever else one pattern tells."""

    schema_version: Literal[1] = 1
    system: str
    thickness_nm: ThicknessEstimate | None = Field(
        description="crystalline part along the beam; amorphous layers do not count"
    )
    mistilt_mrad: Estimate | None = Field(
        description="angle between beam and zone axis: shift of the incident direction in the frame of the crystal. "
        "The zone axis lies at minus the mistilt from the centre of the direct disk. Tilting specimen or beam gives "
        "the same pattern; only the place of the disk on the camera differs"
    )
    mistilt_azimuth_deg: Estimate | None = Field(
        description="direction of the mistilt in the image, from +x (right) towards +y (down); "
        "null when the tilt is below two standard errors"
    )
    mistilt_x_mrad: Estimate | None = Field(description="component along the image's columns, to the right")
    mistilt_y_mrad: Estimate | None = Field(description="component along the image's rows, downwards")
    mistilt_covariance_mrad2: tuple[tuple[float, float], tuple[float, float]] | None = Field(
        description="covariance of mistilt_x_mrad and mistilt_y_mrad"
    )
    scale: Estimate | None = Field(description="pixel size over that of the simulated stack")
    pixel_mrad: Estimate | None
    rotation_deg: RotationEstimate | None = Field(description="azimuth of the crystal's x axis in the image")
    mirrored: bool | None = Field(None, description="the camera shows the pattern mirrored, as given or as found")
    polarity: Alternative | None = Field(
        None, description="the crystal turned by 180 deg; null where a twofold axis along the beam makes both one"
    )
    hand: Alternative | None = Field(
        None, description="the mirrored image; null where it was given, or where a mirror line makes both one"
    )
    convergence_mrad: Estimate | None = Field(description="as refined; what was given is among the parameters")
    blur_mrad: Estimate | None = Field(description="standard deviation of a Gaussian blur")
    ellipse_plus_percent: Estimate | None = Field(
        None,
        description="elliptical distortion of the image: circles are larger by this along x, smaller along y [%]",
    )
    ellipse_cross_percent: Estimate | None = Field(
        None, description="elliptical distortion of the image: circles are larger by this along the diagonal x = y [%]"
    )
    effects: list[EffectEstimate] | None = Field(None, description="what may have happened to the picture")
    beam: BeamShares | None = Field(None, description="null without a vacuum pattern")
    thickness_candidates: list[Candidate] = Field(max_length=3, description="of the network alone, likeliest first")
    misfit: float | None = Field(
        ge=0,
        description="norm of the residual over that of the pattern without its mean; networks alone: near their answer",
    )
    verdict: Verdict
    reasons: list[str]
    networks: dict[str, ClassProbabilities]
    provenance: Provenance


def estimate(value: float, std: float | None) -> Estimate:
    """A normally distributed estimate with its central 90 % interval; without a standard deviation it has none."""
    return Estimate(value=value, std=std, interval_90=interval(value, std))


def interval(value: float, std: float | None) -> tuple[float, float] | None:
    """Central 90 % of a normal distribution."""
    return None if std is None else (value - NORMAL_90 * std, value + NORMAL_90 * std)


def with_std(one: Estimate, digits: int) -> str:
    """Value and standard deviation with so many decimals, such as ``30.8 ± 0.6``; the value alone where it has none."""
    spread = "" if one.std is None else f" ± {one.std:.{digits}f}"
    return f"{one.value:.{digits}f}{spread}"


def write_result(result: Result, path: str | Path) -> None:
    """Store a result as JSON."""
    write_text(result.model_dump_json(indent=2) + "\n", path)


def read_result(path: str | Path) -> Result:
    """Read a result.

    Raises
    ------
    FormatError
        The file is no result, is damaged, or was written by a newer version.
    """
    try:
        data = json.loads(Path(path).read_text(encoding="utf-8"))
        version = data["schema_version"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise FormatError(f"result {path}: damaged, or no result ({type(error).__name__})") from None
    if version != SCHEMA_VERSION:
        raise FormatError(f"result {path}: got schema_version {version}, accepted: {SCHEMA_VERSION}; update pacbed")
    try:
        return Result.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        raise FormatError(f"result {path}: {field}: {first['msg']}") from None


def result_schema() -> dict[str, Any]:
    """JSON schema of a result."""
    return Result.model_json_schema()


def main(arguments: list[str] | None = None) -> None:
    """Write the JSON schema."""
    parser = argparse.ArgumentParser(prog="python -m pacbed.analysis.result")
    parser.add_argument("--write-schema", type=Path, required=True, metavar="FILE")
    write_json(result_schema(), parser.parse_args(arguments).write_schema)


if __name__ == "__main__":
    main()
