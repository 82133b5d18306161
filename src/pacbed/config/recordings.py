"""The sections of a system's configuration for what a microscope recorded."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from pacbed.config.values import Section

Count = Annotated[int, Field(ge=1)]
Nanometres = Annotated[float, Field(gt=0)]
Index = Annotated[int, Field(ge=0)]


class RecordingConfig(Section):
    """A recorded file; what it says itself may be left out."""

    path: Path = Field(description="file of one pattern or of a scan, relative to the working directory")
    convergence_mrad: float | None = Field(None, gt=0, le=100, description="semi-convergence angle [mrad]")
    energy_kev: float | None = Field(None, ge=20, le=1000, description="beam energy [keV]")
    pixel_mrad: float | None = Field(None, gt=0, le=100, description="pixel size [mrad]")
    dataset: str | None = Field(None, description="path inside the file, title, or number from 0")
    scan_shape: tuple[Count, Count] | None = Field(None, description="rows and columns of a scan stored as a series")
    mirrored: bool | None = Field(
        None, description="the camera shows the pattern mirrored; both are tried where the crystal has no mirror line"
    )
    mask: Path | None = Field(None, description="image of the patterns' size: pixels other than zero are not used")


class PatternConfig(RecordingConfig):
    """A measured pattern; what the file itself says may be left out."""

    frame: Annotated[list[Index], Field(min_length=1, max_length=3)] | None = Field(
        None, description="pattern of a scan: its number from 0, or row and column"
    )
    refine_from_nm: list[Nanometres] = Field([], description="start at these thicknesses only [nm]")
    vacuum: Path | None = Field(None, description="pattern of the bare beam by the same camera, both dark-subtracted")
    exposure_ratio: float = Field(1.0, gt=0, le=1e6, description="exposure of the pattern over the vacuum pattern's")
    zero_loss_nm: tuple[Nanometres, float] | None = Field(
        None, description="filtered for zero loss: mean free path of inelastic scattering, and its error [nm]"
    )


class DatasetConfig(RecordingConfig):
    """A 4D-STEM data set to be mapped."""

    window: Annotated[int, Field(ge=1, le=256)] | Literal["cell"] = Field(
        1, description="scan positions averaged along each edge, or cell: as many as cover one cell of the crystal"
    )
    scan_step_nm: float | None = Field(None, gt=0, description="distance of scan positions, where the file is silent")
