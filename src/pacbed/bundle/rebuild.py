"""Makes the rocking table of a bundle again, from the slice potentials that it holds."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from pacbed.bundle.archive import META, members_of, zip_folder
from pacbed.bundle.compact import write_compact
from pacbed.bundle.reader import Bundle, load_bundle
from pacbed.bundle.recipe import Recipe
from pacbed.errors import bad_value
from pacbed.logs import installed_versions
from pacbed.outputs import leaves_nothing_half_written
from pacbed.simulation.table.gather import gather_rocking_table
from pacbed.simulation.table.rocking_block import simulate_rocking_block
from pacbed.simulation.table.rocking_table import RockingTable
from pacbed.simulation.table.settings import TableSettings

TABLE = "rocking.zarr"
BLOCKS = 16  # pieces of work; more jobs than that bring nothing
BATCH = 64  # directions propagated together; the table does not depend on it


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
    if out.suffix != ".pacbed" or out.is_dir() or (out.exists() and out.samefile(bundle)):
        raise bad_value("out", str(out), "a .pacbed file that is not the bundle itself")
    if jobs < 1:
        raise bad_value("jobs", jobs, "1 or more")
    _build(load_bundle(bundle), out, jobs, tell or (lambda line: None))


@leaves_nothing_half_written("out")
def _build(bundle: Bundle, out: Path, jobs: int, tell: Callable[[str], None]) -> None:
    folder, work = out.with_name(out.name + ".folder.part"), out.with_name(out.name + ".blocks.part")
    for place in (folder, work):
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
    for name in bundle.names():
        if not name.startswith(f"{TABLE}/"):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(bundle.read(name))
    recipe = Recipe.load(folder / "structure")
    simulate_table(folder / "structure", recipe, work, jobs=jobs, tell=tell)
    tell("packing the table")
    write_compact(RockingTable.load(work / "rocking"), recipe, folder / TABLE)
    meta = bundle.meta.model_copy(update={"members": members_of(folder), "versions": installed_versions()})
    (folder / META).write_text(meta.model_dump_json(indent=2) + "\n", encoding="utf-8")
    zip_folder(folder, out)
    for place in (folder, work):
        shutil.rmtree(place)


def simulate_table(structure: Path, recipe: Recipe, work: Path, *, jobs: int, tell: Callable[[str], None]) -> None:
    """Write the table in full precision to ``work / "rocking"``, block by block; see `build_table`."""
    settings = TableSettings(
        thickness_max_nm=recipe.thickness_max_nm,
        cone_mrad=recipe.cone_mrad,
        field_mrad=recipe.field_mrad,
        direction_pitch_mrad=recipe.direction_pitch_mrad,
        plane_spacing_nm=recipe.plane_spacing_nm,
        propagator=recipe.propagator,
        termination=recipe.termination,
        batch=BATCH,
    )

    def block(number: int) -> Path:
        folder = work / f"{number}"
        simulate_rocking_block(structure, settings, block=number, blocks=BLOCKS, out_dir=folder)
        return folder

    with ThreadPoolExecutor(jobs) as pool:
        waiting = [pool.submit(block, number) for number in range(BLOCKS)]
        try:
            for done, future in enumerate(as_completed(waiting), 1):
                future.result()
                tell(f"directions: {done} of {BLOCKS} blocks")
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    tell("joining the blocks")
    gather_rocking_table([future.result() for future in waiting], work / "rocking", threads=jobs)
