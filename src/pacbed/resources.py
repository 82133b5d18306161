"""What a job needs, estimated from its system's parameter grid before anything is computed; Snakemake books it.

The estimates are upper bounds within a factor of some three: a cluster kills a job that takes more than it asked for.
"""

import math
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pacbed.config import SystemConfig
from pacbed.plan import SimulationPlan, plan

WAVELENGTH_COEFFICIENT = (12.2643, 0.97845e-6)  # lambda = a / sqrt(U + b U^2) [Å, V]
# ASSUME: symmetry leaves a quarter of the directions (rutile [001] as a slab; SrTiO3 [001] leaves an eighth).
DISTINCT = 0.25
UNKNOWN_CELL_A2 = 100.0  # where the CIF says nothing; larger than beryl [0001] with 73
# Where the search for the automatic pitch starts, 0.4 lambda / (theta t); a test holds these to `pacbed.simulation.directions`.
FRINGE_FRACTION, FRINGE_ANGLE_MRAD = 0.4, 40.0
SLICE_NM = 0.2
SECONDS_PER_WAVE_AND_SLICE = 1e-4  # one core, 60 x 60 to 100 x 100 pixels
PYTHON_MB = 600  # interpreter with numpy, scipy and numba
TENSORFLOW_MB = 1500
SAFETY = 4
VARIATIONS = 12  # of the crystal, in the thickness budget


@cache
def cell_area_a2(cif: Path) -> float:
    """Typical projected area of the cell in a CIF file [Å^2], from its three lengths; no symmetry is worked out."""
    try:
        text = cif.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return UNKNOWN_CELL_A2
    lengths = [float(value) for value in re.findall(r"^_cell_length_[abc]\s+([0-9.]+)", text, flags=re.MULTILINE)]
    return math.prod(lengths) ** (2 / 3) if len(lengths) == 3 else UNKNOWN_CELL_A2


@dataclass(frozen=True)
class Needs:
    """Memory and time of every kind of job of one system.

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
        return max(1.0, math.pi * field_per_a**2 * cell_area_a2(self.system.crystal.cif))

    def structure_mb(self) -> int:
        """Memory of making the slice potentials [MB]; abTEM and spglib are loaded."""
        nx, ny = self._grid_px()
        return math.ceil(2 * PYTHON_MB + 2e-6 * 100 * nx * ny)

    def structure_minutes(self) -> int:
        """Run time of making the slice potentials [min]; a larger cell has more atoms."""
        return math.ceil(10 + 0.1 * cell_area_a2(self.system.crystal.cif))

    def table_mb(self) -> int:
        """Size of the rocking table [MB]: 16-bit intensities at planes 1 nm apart."""
        return math.ceil(2e-6 * self.directions * self.beams * (self.plan.thickness_max_nm + 1))

    def block_mb(self) -> int:
        """Memory of one block of the table [MB]: its share of the table, twice, and the waves in flight."""
        nx, ny = self._grid_px()
        waves = 8e-6 * nx * ny * self.system.simulation.batch * 6
        return math.ceil(PYTHON_MB + 2 * self.table_mb() / self.system.simulation.blocks + waves)

    def block_minutes(self) -> int:
        """Run time of one block on one core [min]."""
        slices = self.plan.thickness_max_nm / SLICE_NM
        nx, ny = self._grid_px()
        seconds = self.directions * slices * SECONDS_PER_WAVE_AND_SLICE * max(1.0, nx * ny / 1e4)
        return math.ceil(5 + SAFETY * seconds / self.system.simulation.blocks / 60)

    def gather_mb(self) -> int:
        """Memory of joining the blocks, or of reading the table to render from it [MB]."""
        return PYTHON_MB + 3 * self.table_mb()

    def gather_minutes(self) -> int:
        """Run time of joining the blocks, or of packing them into a bundle [min], at 20 MB/s."""
        return math.ceil(5 + self.table_mb() / 20 / 60)

    def referee_mb(self) -> int:
        """Memory of the direct simulation of whole probes [MB]: supercell potential and a batch of probes."""
        nx, ny = self._grid_px()
        pixels = nx * ny * self.system.simulation.referee.cells**2
        slices = max(1.0, self.plan.thickness_max_nm / SLICE_NM)
        return math.ceil(PYTHON_MB + self.table_mb() + 1e-6 * pixels * (4 * min(slices, 50) + 8 * 40))

    def referee_minutes(self) -> int:
        """Run time of the direct simulations [min]; measured 38 s for 10 nm of 8 x 8 cells and 81 positions."""
        referee = self.system.simulation.referee
        depths_nm = referee.patterns * referee.max_thickness_nm + referee.full_thickness * self.plan.thickness_max_nm
        return math.ceil(10 + SAFETY * 38 / 60 * (depths_nm / 10) * (referee.cells / 8) ** 2)

    def series(self) -> int:
        """Thickness series of the stack: convergence angles times mistilts times azimuths."""
        grid = self.system.grid
        azimuths = 360 / grid.azimuth_step_deg if isinstance(grid.azimuth_deg, str) else len(grid.azimuth_deg.values())
        return math.ceil(len(grid.convergence_mrad.values()) * len(grid.mistilt_mrad.values()) * azimuths)

    def stack_mb(self) -> int:
        """Size of the stack, 16 bit per pixel [MB]."""
        patterns = self.series() * len(self.system.grid.thickness_nm.values())
        return math.ceil(2e-6 * patterns * self.system.stack.pixels**2)

    def stack_minutes(self) -> int:
        """Run time of rendering the stack on one core [min]; 20 ms for 200 x 200 pixels."""
        patterns = self.series() * len(self.system.grid.thickness_nm.values())
        return math.ceil(5 + SAFETY * patterns * 0.02 * (self.system.stack.pixels / 200) ** 2 / 60)

    def training_mb(self) -> int:
        """Memory of training one network [MB]: all samples in 32 bit, twice, and the table they are rendered from."""
        training = self.system.training
        samples = 4e-6 * (training.samples + training.validation_samples) * training.pixels**2
        return math.ceil(TENSORFLOW_MB + 2 * samples + self.gather_mb() + (4000 if training.recipe == "paper" else 0))

    def training_minutes(self, task: str) -> int:
        """Run time of training one network without a GPU [min].

        Parameters
        ----------
        task : {"scale", "thickness", "mistilt"}
            Which network.
        """
        training = self.system.training
        per_sample = {"compact": 1e-3 * (training.pixels / 64) ** 2, "paper": 0.5}[training.recipe]
        passes = training.samples * getattr(training.epochs, task)
        rendering = training.samples * 5e-3
        return math.ceil(10 + SAFETY * (passes * per_sample + rendering) / 60)

    def evaluation_minutes(self) -> int:
        """Run time of the evaluation [min]: directly computed truth, then one refinement of 2 s per pattern."""
        evaluation = self.system.evaluation
        refinements = len(evaluation.noise_levels) * evaluation.patterns
        return math.ceil(10 + self.referee_minutes() + SAFETY * refinements * 2 / 60)

    def model_error_mb(self) -> int:
        """Memory of the thickness budget [MB]: two tables of one aperture at a coarser pitch."""
        share = self.system.evaluation.model_error.coarser_pitch**-2
        return math.ceil(2 * PYTHON_MB + 6 * share * self.table_mb())

    def model_error_minutes(self) -> int:
        """Run time of the thickness budget on one core [min]: a table of one aperture and 5 s of fits per variation."""
        asked = self.system.evaluation.model_error
        angles = self.system.grid.convergence_mrad.values()
        aperture = 0.5 * (angles[0] + angles[-1]) + asked.mistilt_mrad + 2
        share = (aperture / (asked.coarser_pitch * self.plan.cone_mrad)) ** 2
        table = (self.block_minutes() - 5) * self.system.simulation.blocks * share
        return math.ceil(5 + VARIATIONS * (table + SAFETY * 5 / 60))

    def _grid_px(self) -> tuple[int, int]:
        """Grid of one cell [pixels]; the automatic one carries some three times the field and the cone."""
        asked = self.system.simulation.grid_px
        if not isinstance(asked, str):
            return asked
        reach_per_a = (self.plan.field_mrad + self.plan.cone_mrad) * 1e-3 / self.wavelength_a
        edge = math.ceil(2 * 3 * reach_per_a * math.sqrt(cell_area_a2(self.system.crystal.cif)))
        return edge, edge
