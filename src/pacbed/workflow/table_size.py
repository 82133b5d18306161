"""How large a system's rocking table becomes and how long it takes, estimated before anything is computed."""

import math
from dataclasses import dataclass

from pacbed.config.plan import SimulationPlan, plan
from pacbed.config.simulation import MAX_BLOCKS
from pacbed.config.system import SystemConfig
from pacbed.workflow.cif_glance import cell_area_a2

WAVELENGTH_COEFFICIENT = (12.2643, 0.97845e-6)  # lambda = a / sqrt(U + b U^2) [Å, V]
# ASSUME: symmetry leaves a quarter of the directions (rutile [001] as a slab; SrTiO3 [001] leaves an eighth).
DISTINCT = 0.25
# Where the search for the automatic pitch starts; a test holds these to `pacbed.simulation.table.directions`.
FRINGE_FRACTION, FRINGE_ANGLE_MRAD = 0.4, 40.0
SLICE_NM = 0.15  # between 0.09 and 0.2, so that slices meet the atomic layers
# The automatic grid carries this frequency at least; measured 3.3 (beryl) to 4.3 (SrTiO3, 300 kV).
GRID_REACH_PER_A = 3.8
USUAL_SPACING_NM = 1.0  # of thickness planes; heavy crystals need planes twice as close
PIXELS_PER_PERIOD = 2 / 0.95  # of the highest frequency kept; the band limit is 0.95 of the Nyquist frequency
SECONDS_PER_PIXEL = 8e-9  # per wave and slice on one core; measured 6 ns with FFTW, 12 ns with SciPy
PHONON_SECONDS_PER_PIXEL = 1.5e-8  # the same in a supercell of displaced atoms
GPU_SPEED = 20  # cores that a GPU stands for; not measured, a cautious order of magnitude
FEWEST_BLOCKS = 4  # no core of a small workstation is left without work


@dataclass(frozen=True)
class TableSize:
    """Directions, beams, grid and time of the rocking table of one system.

    Parameters
    ----------
    system : SystemConfig
        The system's configuration.
    """

    system: SystemConfig

    @property
    def plan(self) -> SimulationPlan:
        return plan(self.system)

    @property
    def wavelength_a(self) -> float:
        """Electron wavelength [Å]."""
        volts = self.system.beam.energy_kev * 1e3
        factor, relativistic = WAVELENGTH_COEFFICIENT
        return factor / math.sqrt(volts * (1 + relativistic * volts))

    @property
    def directions(self) -> float:
        """Incident directions of the table after symmetry."""
        pitch = self.system.simulation.direction_pitch_mrad
        if isinstance(pitch, str):
            pitch = FRINGE_FRACTION * 1e5 * self.wavelength_a / (FRINGE_ANGLE_MRAD * self.plan.thickness_max_nm)
        return max(1.0, DISTINCT * math.pi * ((self.plan.cone_mrad + 2 * pitch) / pitch) ** 2)

    @property
    def beams(self) -> float:
        """Diffracted beams kept per direction."""
        field_per_a = self.plan.field_mrad * 1e-3 / self.wavelength_a
        return max(1.0, math.pi * field_per_a**2 * self.cell_area_a2)

    @property
    def cell_area_a2(self) -> float:
        """Area of one cell seen along the beam [Å^2]."""
        return cell_area_a2(self.system.crystal.cif, self.system.crystal.zone_axis)

    @property
    def core_seconds(self) -> float:
        """Time of the whole rocking table on one core [s]; right within a factor of two or so."""
        depth = self.system.simulation.slice_depth_nm
        slices = self.plan.thickness_max_nm / (SLICE_NM if isinstance(depth, str) else depth)
        phonons = self.system.simulation.phonons
        waves = self.directions * (phonons.cells**2 * phonons.configurations if self.displaced else 1)
        seconds = PHONON_SECONDS_PER_PIXEL if self.displaced else SECONDS_PER_PIXEL
        return waves * slices * math.prod(self.grid_px()) * seconds

    @property
    def table_seconds(self) -> float:
        """Time of the whole rocking table on one core, or on one GPU [s]."""
        return self.core_seconds / (GPU_SPEED if self.system.simulation.device == "gpu" else 1)

    @property
    def blocks(self) -> int:
        """Jobs that the directions of the rocking table are split into.

        The automatic count is a power of two, four at least, so that it fills two, four or eight cores evenly. Where
        there are more, each job takes between half of ``block_minutes`` and all of it, if the estimate is right.
        """
        simulation = self.system.simulation
        if not isinstance(simulation.blocks, str):
            return simulation.blocks
        jobs = self.table_seconds / (60 * simulation.block_minutes)
        count = 2 ** math.ceil(math.log2(max(FEWEST_BLOCKS, jobs)))
        return max(1, min(count, MAX_BLOCKS, int(self.directions / simulation.batch)))

    @property
    def displaced(self) -> bool:
        """Whether the table comes from displaced atoms."""
        return self.system.crystal.thermal_model == "frozen_phonons"

    def table_mb(self) -> int:
        """Size of the rocking table [MB]: 16-bit intensities at planes 1 nm apart, if no distance is given."""
        asked = self.system.simulation.plane_spacing_nm
        planes = self.plan.thickness_max_nm / (USUAL_SPACING_NM if isinstance(asked, str) else asked)
        return math.ceil(2e-6 * self.directions * self.beams * (planes + 1))

    def grid_px(self) -> tuple[int, int]:
        """Grid of one cell [pixels], as if the cell were square."""
        asked = self.system.simulation.grid_px
        if not isinstance(asked, str):
            return asked
        needed_per_a = (1.05 * max(self.plan.field_mrad, self.plan.cone_mrad) + 2) * 1e-3 / self.wavelength_a
        edge = math.ceil(PIXELS_PER_PERIOD * max(GRID_REACH_PER_A, needed_per_a) * math.sqrt(self.cell_area_a2))
        return edge, edge
