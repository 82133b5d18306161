"""The section `simulation` of a system's configuration, and its parts."""

import re
from typing import Annotated, Literal

from pydantic import Field, field_validator

from pacbed.config.values import Auto, GridPixels, Section, refuse

MAX_BLOCKS = 10_000
BlockCount = Annotated[int, Field(ge=1, le=MAX_BLOCKS)]
SliceDepth = Annotated[float, Field(ge=0.005, le=2)]
Pitch = Annotated[float, Field(ge=0.01, le=5)]
PlaneSpacing = Annotated[float, Field(ge=0.1, le=5)]
FieldAngle = Annotated[float, Field(gt=0, le=300)]
MAX_DIRECTIONS = 20_000_000  # of a rocking table before symmetry; the full-scale systems have some 200,000


class RefereeConfig(Section):
    """Comparison of the rocking table with direct simulations of whole probes."""

    cells: int = Field(6, ge=2, le=64, description="edge of the supercell [cells]")
    patterns: int = Field(3, ge=1, le=50, description="parameter sets compared")
    max_thickness_nm: float = Field(20, gt=0, le=1000, description="thickest of these sets [nm]")
    full_thickness: bool = Field(True, description="compare one more set at the full thickness")
    seed: int = Field(1, ge=0, description="seed of the draw of the sets")
    tolerance: float = Field(2e-3, gt=0, le=1, description="largest accepted relative L2 difference")
    phonons: bool = Field(False, description="compare the table with frozen phonons as well")


class PhononsConfig(Section):
    """Displaced atoms: of a table with the thermal model frozen_phonons, and of the comparison with them."""

    cells: int = Field(3, ge=2, le=16, description="edge of the supercell [cells]; better odd")
    configurations: int = Field(1, ge=1, le=1000, description="configurations per incident direction")
    pool: int = Field(16, ge=2, le=1000, description="displaced slices that configurations are drawn from")
    seed: int = Field(1, ge=0, description="seed of the displacements")


class ScanConfig(Section):
    """Rasters of probes over a supercell, for `engine: scan`."""

    cells: Auto | Annotated[int, Field(ge=1, le=64)] = Field(
        "auto", description="edge of the supercell [cells]; auto: at most 12"
    )
    samples_per_pixel: float = Field(2, ge=1, le=8, description="samples along the edge of a pixel of the stack")
    configurations: int = Field(8, ge=1, le=10_000, description="phonon configurations per scan (frozen_phonons only)")
    seed: int = Field(1, ge=0, description="seed of the displacements")
    blocks: int = Field(4, ge=1, le=10_000, description="jobs the thickness series are split into")
    scheduler: str = Field("threads", description="threads, processes, or the address of a dask scheduler")
    workers: int = Field(2, ge=1, le=1024, description="threads or processes of a job")

    @field_validator("scheduler")
    @classmethod
    def _known(cls, scheduler: str) -> str:
        if not re.fullmatch(r"threads|processes|[a-z]+://\S+:\d+", scheduler):
            accepted = "threads or processes, or the address of a dask scheduler such as tcp://node7:8786"
            raise refuse("", scheduler, accepted)
        return scheduler


class SimulationConfig(Section):
    """Numerics of the simulation, and which engine fills the stack."""

    engine: Literal["plane_wave", "scan"] = Field(
        "plane_wave", description="what the stack's patterns come from: the rocking table, or abTEM's probes"
    )
    propagator: Literal["exact", "fresnel"] = Field("exact", description="free-space propagator")
    grid_px: Auto | tuple[GridPixels, GridPixels] = Field(
        "auto", description="grid of one cell [pixels]; auto: the smallest that loses little"
    )
    slice_depth_nm: Auto | SliceDepth = Field("auto", description="thickness of a slice [nm]")
    direction_pitch_mrad: Auto | Pitch = Field("auto", description="distance between incident directions [mrad]")
    plane_spacing_nm: Auto | PlaneSpacing = Field("auto", description="distance between thickness planes [nm]")
    max_angle_mrad: Auto | FieldAngle = Field(
        "auto", description="half width of the field of view [mrad]; auto: 1.5 times the largest convergence angle"
    )
    blocks: Auto | BlockCount = Field(
        "auto", description="jobs the directions are split into; auto: as many as block_minutes asks for"
    )
    block_minutes: float = Field(3, gt=0, le=1440, description="aim of blocks: auto for one job on one core [min]")
    device: Literal["cpu", "gpu"] = Field("cpu", description="where the waves are propagated; gpu needs CuPy")
    batch: int = Field(64, ge=1, le=100_000, description="directions propagated together")
    tolerance: float = Field(2e-3, gt=0, le=1, description="accepted relative error of a rendered pattern")
    phonons: PhononsConfig = Field(default_factory=PhononsConfig, description="displaced atoms")
    referee: RefereeConfig = Field(default_factory=RefereeConfig, description="check against direct simulation")
    scan: ScanConfig = Field(default_factory=ScanConfig, description="the engine scan")
