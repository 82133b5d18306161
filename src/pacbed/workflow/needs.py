"""What a job needs, estimated from its system's parameter grid before anything is computed; Snakemake books it.

The estimates are upper bounds within a factor of some three: a cluster kills a job that takes more than it asked for.
"""

import math

from pacbed.config.plan import plan
from pacbed.config.system import SystemConfig
from pacbed.workflow.crystals import projected_cell_a2
from pacbed.workflow.table_size import (
    PHONON_SECONDS_PER_PIXEL,
    SLICE_NM,
    beams,
    block_count,
    core_seconds,
    grid_px,
    has_displaced_atoms,
    table_mb,
    table_seconds,
    wavelength_a,
)

DIRECT_WAVES = 12  # of the evaluation's patterns, over those of the rocking table: no symmetry halves them
# Interpreter with numpy, scipy and numba (350 measured); on a cluster two of Snakemake beside it (150 each, measured).
PYTHON_MB = 800
ABTEM_MB = 400  # with spglib
TENSORFLOW_MB = 1500
XCEPTION_MB = 4000  # weights, gradients, moments, and the activations of a batch
GATHER_MB = 200  # what two threads filter at a time
SERIES_MB = 250  # seven thickness series of 200 x 200 pixels in the making, with the sums they are interpolated from
SAFETY = 4
# Of the scan engine: one pixel of a supercell through one slice, on one core; and the waves of one task, with copies.
SECONDS_PER_PIXEL_AND_SLICE = 4e-8
SCAN_TASK_MB = 4 * 256
PACK_MB = 600  # the part of packing a table that does not grow with it
PACK_SECONDS_PER_MB = 1.2  # of the estimated size, on one core; measured 0.57 (rutile, 80 kV)
VARIATIONS = 9  # of the crystal, in the thickness budget


def structure_mb(system: SystemConfig) -> int:
    """Memory of making the slice potentials [MB]; abTEM and spglib are loaded."""
    nx, ny = grid_px(system)
    return math.ceil(PYTHON_MB + ABTEM_MB + 2e-6 * 100 * nx * ny)


def structure_minutes(system: SystemConfig) -> int:
    """Run time of making the slice potentials [min]; a larger cell has more atoms."""
    return math.ceil(10 + 0.1 * projected_cell_a2(system))


def block_mb(system: SystemConfig) -> int:
    """Memory of one block of the table [MB]: its share of the table, twice, and the waves in flight."""
    nx, ny = grid_px(system)
    waves = 8e-6 * nx * ny * system.simulation.batch * 6
    share = 2 * table_mb(system) / block_count(system)
    return math.ceil(PYTHON_MB + waves + (2 * share + _pool_mb(system) if has_displaced_atoms(system) else share))


def block_minutes(system: SystemConfig) -> int:
    """Run time of one block on one core, or on one GPU [min]."""
    return math.ceil(5 + SAFETY * table_seconds(system) / block_count(system) / 60)


def gather_mb(system: SystemConfig) -> int:
    """Memory of joining the blocks [MB]: samples go while coefficients come.

    Measured with two threads 0.4 GB beside 1.2 times the table (rutile, 80 kV) and 1.15 times (SrTiO3, 300 kV).
    """
    return PYTHON_MB + GATHER_MB + 2 * table_mb(system)


def reading_mb(system: SystemConfig) -> int:
    """Memory of reading the table to render from it [MB]; measured up to 1.1 GB in a prediction (rutile, 80 kV)."""
    return PYTHON_MB + 4 * table_mb(system)


def mapping_mb(system: SystemConfig) -> int:
    """Memory of a map [MB]: up to four processes, each of which reads the table; measured 0.6 GB (SrTiO3, 200 kV)."""
    return reading_mb(system) + 3 * (PYTHON_MB + table_mb(system))


def evaluation_mb(system: SystemConfig) -> int:
    """Memory of the evaluation [MB]: the table, libraries of every convergence angle, and series of the stack.

    Measured 0.33 GB and 6.3 times the table, whose size is estimated up to a third too low (rutile, 80 kV).
    """
    return PYTHON_MB + 10 * table_mb(system)


def gather_minutes(system: SystemConfig) -> int:
    """Run time of joining the blocks [min], at 20 MB/s."""
    return math.ceil(5 + table_mb(system) / 20 / 60)


def referee_mb(system: SystemConfig) -> int:
    """Memory of the direct simulation of whole probes [MB]: the table, supercell potential and a batch of probes.

    Measured 0.37 GB and twice the table, whose size is estimated up to a third too low (rutile, 80 kV).
    """
    nx, ny = grid_px(system)
    pixels = nx * ny * system.simulation.referee.cells**2
    slices = max(1.0, plan(system).thickness_max_nm / SLICE_NM)
    return math.ceil(PYTHON_MB + 3 * table_mb(system) + 1e-6 * pixels * (4 * min(slices, 50) + 8 * 40))


def referee_minutes(system: SystemConfig) -> int:
    """Run time of the direct simulations [min]; measured 38 s for 10 nm of 8 x 8 cells and 81 positions."""
    referee = system.simulation.referee
    depths_nm = referee.patterns * referee.max_thickness_nm + referee.full_thickness * plan(system).thickness_max_nm
    return math.ceil(10 + SAFETY * 38 / 60 * (depths_nm / 10) * (referee.cells / 8) ** 2)


def phonons_mb(system: SystemConfig) -> int:
    """Memory of the comparison with frozen phonons [MB]: 32 directions with all bins of every beam."""
    bins = 8e-6 * 32 * 11 * beams(system) * (system.simulation.phonons.cells + 1) ** 2
    return math.ceil(PYTHON_MB + reading_mb(system) + _pool_mb(system) + 2 * bins)


def _pool_mb(system: SystemConfig) -> float:
    """Memory of the displaced slices [MB]; up to ten slices in a period, and a copy while they are made."""
    phonons = system.simulation.phonons
    return 16e-6 * math.prod(grid_px(system)) * phonons.cells**2 * phonons.pool * 10


def phonons_minutes(system: SystemConfig) -> int:
    """Run time of that comparison [min]: 200 to 600 directions through the whole slab."""
    phonons, slices = system.simulation.phonons, plan(system).thickness_max_nm / SLICE_NM
    pixels = math.prod(grid_px(system)) * phonons.cells**2 * phonons.configurations
    return math.ceil(10 + SAFETY * 400 * slices * pixels * PHONON_SECONDS_PER_PIXEL / 60)


def scan_mb(system: SystemConfig) -> int:
    """Memory of one block of the scan engine [MB]: what its workers propagate, and the samples of their series."""
    scan, planes = system.simulation.scan, plan(system).thickness_max_nm + 2
    samples = 3 * 8e-6 * planes * (scan.samples_per_pixel * system.stack.pixels) ** 2
    return math.ceil(PYTHON_MB + table_mb(system) + scan.workers * (PYTHON_MB + SCAN_TASK_MB + 2 * samples))


def scan_minutes(system: SystemConfig) -> int:
    """Run time of one block of the scan engine [min]; drawing displaced atoms doubles it."""
    scan, (nx, ny) = system.simulation.scan, grid_px(system)
    pixel_mrad = 2 * plan(system).max_angle_mrad / system.stack.pixels
    beam_mrad = 1e3 * wavelength_a(system) / math.sqrt(projected_cell_a2(system))  # first reflection of a square cell
    samples = nx * ny * (beam_mrad * scan.samples_per_pixel / pixel_mrad) ** 2
    positions = (2 * plan(system).alpha_max_mrad / beam_mrad + 1) ** 2
    draws = 2 * scan.configurations if system.crystal.thermal_model == "frozen_phonons" else 1
    slices = plan(system).thickness_max_nm / SLICE_NM
    seconds = samples * positions * slices * draws * SECONDS_PER_PIXEL_AND_SLICE
    share = math.ceil(series(system) / scan.blocks)
    return math.ceil(5 + SAFETY * share * seconds / scan.workers / 60)


def series(system: SystemConfig) -> int:
    """Thickness series of the stack: convergence angles times mistilts times azimuths."""
    grid = system.grid
    azimuths = 360 / grid.azimuth_step_deg if isinstance(grid.azimuth_deg, str) else len(grid.azimuth_deg.values())
    return math.ceil(len(grid.convergence_mrad.values()) * len(grid.mistilt_mrad.values()) * azimuths)


def stack_mb(system: SystemConfig) -> int:
    """Size of the stack, 16 bit per pixel [MB]."""
    return math.ceil(2e-6 * stack_patterns(system) * system.stack.pixels**2)


def assembly_mb(system: SystemConfig) -> int:
    """Memory of rendering the stack [MB]: the table, the same as series read it, and what four threads work on.

    Measured with two threads up to 1.9 GB (rutile, 80 kV) and 3.6 GB (SrTiO3, 300 kV).
    """
    series = SERIES_MB * max(1.0, (system.stack.pixels / 200) ** 2)
    return math.ceil(2 * PYTHON_MB + 2 * table_mb(system) + 4 * series)


def stack_minutes(system: SystemConfig) -> int:
    """Run time of rendering the stack on one core [min]; measured 1 to 2 ms for 200 x 200 pixels."""
    return math.ceil(5 + SAFETY * stack_patterns(system) * 0.002 * (system.stack.pixels / 200) ** 2 / 60)


def stack_patterns(system: SystemConfig) -> int:
    """Patterns of the stack."""
    return series(system) * len(system.grid.thickness_nm.values())


def training_mb(system: SystemConfig) -> int:
    """Memory of training [MB].

    All samples in 32 bit, twice, and the table they are rendered from; with the recipe paper the validation patterns,
    sixteen series of the stack in 16 bit, twice, and Xception with its gradients.
    """
    training = system.training
    if training.recipe == "paper":
        validation = min(training.validation_samples, stack_patterns(system)) * training.pixels**2
        in_memory = 16 * len(system.grid.thickness_nm.values()) * system.stack.pixels**2
        return math.ceil(TENSORFLOW_MB + XCEPTION_MB + 12e-6 * validation + 4e-6 * in_memory)
    samples = 4e-6 * (training.samples + training.validation_samples) * training.pixels**2
    return math.ceil(TENSORFLOW_MB + 2 * samples + reading_mb(system))


def training_minutes(system: SystemConfig) -> int:
    """Run time of training all networks without a GPU [min]; the compact ones are trained together."""
    training = system.training
    epochs = training.epochs.scale, training.epochs.thickness, training.epochs.mistilt
    if training.recipe == "paper":
        seconds = 0.5 * sum(epochs) * min(training.samples, stack_patterns(system))
    else:
        rendering = 12e-3
        seconds = training.samples * (1e-3 * max(epochs) + rendering)
    return math.ceil(10 + SAFETY * seconds / 60)


def pack_mb(system: SystemConfig) -> int:
    """Memory of packing a bundle [MB]: the table, its deepest level, that level packed, and patterns of them.

    Measured 1.6 GB with a table of 0.42 GB, whose size is estimated as 0.2 GB (rutile, 80 kV).
    """
    return PYTHON_MB + PACK_MB + 4 * table_mb(system)


def pack_minutes(system: SystemConfig) -> int:
    """Run time of packing a bundle [min]: levels are made again until their directions are just dense enough."""
    return math.ceil(5 + PACK_SECONDS_PER_MB * table_mb(system) / 60)


def evaluation_minutes(system: SystemConfig) -> int:
    """Run time of the evaluation [min]: plane waves of some patterns, then two refinements of 2 s per recording."""
    evaluation = system.evaluation
    levels = len(evaluation.noise_levels) + len(evaluation.electrons)
    refinements = 2 * levels * (evaluation.patterns + evaluation.direct_patterns)
    waves = DIRECT_WAVES * core_seconds(system) if evaluation.direct_patterns else 0.0
    return math.ceil(10 + referee_minutes(system) + SAFETY * (refinements * 2 + waves) / 60)


def model_error_mb(system: SystemConfig) -> int:
    """Memory of the thickness budget [MB]: two tables of one aperture at a coarser pitch."""
    share = system.evaluation.model_error.coarser_pitch**-2
    return math.ceil(2 * PYTHON_MB + 6 * share * table_mb(system))


def model_error_minutes(system: SystemConfig) -> int:
    """Run time of the thickness budget on one core [min]: a table of one aperture and 5 s of fits per variation."""
    asked = system.evaluation.model_error
    angles = system.grid.convergence_mrad.values()
    aperture = 0.5 * (angles[0] + angles[-1]) + asked.mistilt_mrad + 2
    share = (aperture / (asked.coarser_pitch * plan(system).cone_mrad)) ** 2
    return math.ceil(10 + SAFETY * VARIATIONS * (share * core_seconds(system) + 5) / 60)
