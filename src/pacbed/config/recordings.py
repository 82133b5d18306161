"""The sections of a system's configuration for what a microscope recorded."""

from pathlib import Path

from pydantic import Field

from pacbed.config.values import Section


class RecordingConfig(Section):
    """A recorded file; what it says itself may be left out."""

    path: Path = Field(description="file of one pattern or of a scan, relative to the working directory")
    convergence_mrad: float | None = Field(None, gt=0, le=100, description="semi-convergence angle [mrad]")
    energy_kev: float | None = Field(None, ge=20, le=1000, description="beam energy [keV]")
    pixel_mrad: float | None = Field(None, gt=0, le=100, description="pixel size [mrad]")
    dataset: str | None = Field(None, description="path inside an HDF5 file")


class PatternConfig(RecordingConfig):
    """A measured pattern; what the file itself says may be left out."""

    mirrored: bool | None = Field(
        None, description="the camera shows the pattern mirrored; both are tried where the crystal has no mirror line"
    )


class DatasetConfig(RecordingConfig):
    """A 4D-STEM data set to be mapped."""

    window: int = Field(1, ge=1, le=256, description="scan positions averaged along each edge")
