"""How large a system's rocking table becomes and how long it takes, estimated before anything is computed."""

import math

from pacbed.config.plan import plan
from pacbed.config.simulation import MAX_BLOCKS
from pacbed.config.system import SystemConfig
from pacbed.workflow.crystals import projected_cell_a2

WAVELENGTH_COEFFICIENT = (12.2643, 0.97845e-6)  # lambda = a / sqrt(U + b U^2) [Å, V]
# ASSUME: symmetry leaves a quarter of the directions, as in rutile [001] as a slab (an estimate; SrTiO3 [001] leaves
# an eighth).
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


def wavelength_a(system: SystemConfig) -> float:
    """Electron wavelength [Å]."""
    volts = system.beam.energy_kev * 1e3
    factor, relativistic = WAVELENGTH_COEFFICIENT
    return factor / math.sqrt(volts * (1 + relativistic * volts))


def directions(system: SystemConfig) -> float:
    """Incident directions of the table after symmetry."""
    pitch = system.simulation.direction_pitch_mrad
    if isinstance(pitch, str):
        pitch = FRINGE_FRACTION * 1e5 * wavelength_a(system) / (FRINGE_ANGLE_MRAD * plan(system).thickness_max_nm)
    return max(1.0, DISTINCT * math.pi * ((plan(system).cone_mrad + 2 * pitch) / pitch) ** 2)


def beams(system: SystemConfig) -> float:
    """Diffracted beams kept per direction."""
    field_per_a = plan(system).field_mrad * 1e-3 / wavelength_a(system)
    return max(1.0, math.pi * field_per_a**2 * projected_cell_a2(system))


def core_seconds(system: SystemConfig) -> float:
    """Time of the whole rocking table on one core [s]; right within a factor of two or so."""
    depth = system.simulation.slice_depth_nm
    slices = plan(system).thickness_max_nm / (SLICE_NM if isinstance(depth, str) else depth)
    phonons = system.simulation.phonons
    waves = directions(system) * (phonons.cells**2 * phonons.configurations if has_displaced_atoms(system) else 1)
    seconds = PHONON_SECONDS_PER_PIXEL if has_displaced_atoms(system) else SECONDS_PER_PIXEL
    return waves * slices * math.prod(grid_px(system)) * seconds


def table_seconds(system: SystemConfig) -> float:
    """Time of the whole rocking table on one core, or on one GPU [s]."""
    return core_seconds(system) / (GPU_SPEED if system.simulation.device == "gpu" else 1)


def block_count(system: SystemConfig) -> int:
    """Jobs that the directions of the rocking table are split into.

    The automatic count is a power of two, four at least, so that it fills two, four or eight cores evenly. Where
    there are more, each job takes between half of ``block_minutes`` and all of it, if the estimate is right.
    """
    simulation = system.simulation
    if not isinstance(simulation.blocks, str):
        return simulation.blocks
    jobs = table_seconds(system) / (60 * simulation.block_minutes)
    count = 2 ** math.ceil(math.log2(max(FEWEST_BLOCKS, jobs)))
    return max(1, min(count, MAX_BLOCKS, int(directions(system) / simulation.batch)))


def has_displaced_atoms(system: SystemConfig) -> bool:
    """Whether the table comes from displaced atoms."""
    return system.crystal.thermal_model == "frozen_phonons"


def table_mb(system: SystemConfig) -> int:
    """Size of the rocking table [MB]: 16-bit intensities at planes 1 nm apart, if no distance is given."""
    asked = system.simulation.plane_spacing_nm
    planes = plan(system).thickness_max_nm / (USUAL_SPACING_NM if isinstance(asked, str) else asked)
    return math.ceil(2e-6 * directions(system) * beams(system) * (planes + 1))


def grid_px(system: SystemConfig) -> tuple[int, int]:
    """Grid of one cell [pixels], as if the cell were square."""
    asked = system.simulation.grid_px
    if not isinstance(asked, str):
        return asked
    needed_per_a = (1.05 * max(plan(system).field_mrad, plan(system).cone_mrad) + 2) * 1e-3 / wavelength_a(system)
    edge = math.ceil(PIXELS_PER_PERIOD * max(GRID_REACH_PER_A, needed_per_a) * math.sqrt(projected_cell_a2(system)))
    return edge, edge
