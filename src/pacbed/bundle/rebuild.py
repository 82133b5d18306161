"""Makes the rocking table of a bundle again from the slice potentials that it holds."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from pacbed.bundle.archive import STRUCTURE, TABLE, Archive, write_bundle
from pacbed.bundle.gate.contents import check_contents
from pacbed.bundle.recipe import Recipe
from pacbed.bundle.thinning import write_compact
from pacbed.config.values import BUNDLE_SUFFIX
from pacbed.errors import bad_value
from pacbed.logs import installed_versions
from pacbed.outputs import scratch_folder
from pacbed.simulation.table.gather import gather_rocking_table
from pacbed.simulation.table.rocking_block import simulate_rocking_block
from pacbed.simulation.table.rocking_table import RockingTable
from pacbed.simulation.table.settings import TableSettings

TABLE_BLOCKS = 16  # pieces of work; more jobs than that bring nothing
DIRECTIONS_AT_ONCE = 64  # the table does not depend on it


def build_table(
    bundle: str | Path, out_bundle: str | Path, *, jobs: int = 1, tell: Callable[[str], None] | None = None
) -> None:
    """Write a bundle again with a table made anew; everything else stays as it is.

    Parameters
    ----------
    bundle : path
        With or without a table.
    out_bundle : path
        The new ``.pacbed`` file; complete or absent.
    jobs : int
        Blocks of directions computed at once.
    tell : callable, optional
        Receives a line after each step.

    Raises
    ------
    FormatError
        The bundle is damaged, or does not say how its table is made.
    ParameterError
        The new bundle would replace the old one, or `jobs` is not positive.
    """
    out = Path(out_bundle)
    if out.suffix != BUNDLE_SUFFIX or out.is_dir() or (out.exists() and out.samefile(bundle)):
        raise bad_value("out", str(out), "a .pacbed file that is not the bundle itself")
    if jobs < 1:
        raise bad_value("jobs", jobs, "1 or more")
    whole = Archive(bundle)
    check_contents(whole)
    _build(whole, out, jobs, tell or (lambda line: None))


def _build(bundle: Archive, out: Path, jobs: int, tell: Callable[[str], None]) -> None:
    with (
        scratch_folder(out.with_name(f"{out.name}.folder.part")) as folder,
        scratch_folder(out.with_name(f"{out.name}.blocks.part")) as work,
    ):
        bundle.extract(folder, without=(TABLE,))
        recipe = Recipe.load(folder / STRUCTURE)
        table = simulate_table(folder / STRUCTURE, recipe, work, jobs=jobs, tell=tell)
        tell("packing the table")
        write_compact(table, recipe, folder / TABLE)
        write_bundle(folder, bundle.meta.model_copy(update={"versions": installed_versions()}), out)


def simulate_table(
    structure_dir: Path, recipe: Recipe, work_dir: Path, *, jobs: int, tell: Callable[[str], None]
) -> RockingTable:
    """Compute a rocking table in full precision block by block.

    Parameters
    ----------
    structure_dir : path
        Folder of the slice potentials.
    recipe : Recipe
        Numerics of the table.
    work_dir : path
        An empty folder for blocks and table.
    jobs : int
        Blocks computed at once.
    tell : callable
        Receives a line after each step.
    """
    with ThreadPoolExecutor(jobs) as pool:
        blocks = range(TABLE_BLOCKS)
        waiting = [pool.submit(_simulate_block, structure_dir, recipe, number, work_dir) for number in blocks]
        try:
            for done, future in enumerate(as_completed(waiting), 1):
                future.result()
                tell(f"directions: {done} of {TABLE_BLOCKS} blocks")
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    tell("joining the blocks")
    gather_rocking_table([future.result() for future in waiting], work_dir / "rocking", threads=jobs)
    return RockingTable.load(work_dir / "rocking")


def _simulate_block(structure_dir: Path, recipe: Recipe, number: int, work_dir: Path) -> Path:
    """Compute one block of the directions; returns its folder."""
    folder = work_dir / f"{number}"
    settings = TableSettings(
        thickness_max_nm=recipe.thickness_max_nm,
        cone_mrad=recipe.cone_mrad,
        field_mrad=recipe.field_mrad,
        direction_pitch_mrad=recipe.direction_pitch_mrad,
        plane_spacing_nm=recipe.plane_spacing_nm,
        propagator=recipe.propagator,
        termination=recipe.termination,
        batch=DIRECTIONS_AT_ONCE,
    )
    simulate_rocking_block(structure_dir, settings, block=number, blocks=TABLE_BLOCKS, out_dir=folder)
    return folder
