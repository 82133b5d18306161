"""Packs what the stages made of one system into a bundle."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pacbed.bundle.archive import EXAMPLES, STRUCTURE, TABLE, VALIDATION, write_bundle
from pacbed.bundle.meta import BundleMeta, ModelError, Ranges
from pacbed.bundle.recipe import Recipe
from pacbed.bundle.sample import write_sample
from pacbed.bundle.thinning import write_compact
from pacbed.config.values import TASKS
from pacbed.crystal.potentials import of_structure
from pacbed.logs import installed_versions
from pacbed.networks.trained import PARITY, read_exported
from pacbed.outputs import scratch_folder
from pacbed.simulation.stack.stored import of_stack
from pacbed.simulation.table.rocking_table import RockingTable, of_table
from pacbed.systems import check_same_system


@dataclass(frozen=True)
class BundleSources:
    """Where the stages before left what a bundle is packed from.

    Attributes
    ----------
    structure_dir, table_dir, stack_dir : path
        Folders of the slice potentials, the rocking table and the stack.
    models_dir : path or None
        Folder of the exported networks; None packs a bundle without networks.
    accepted_json, evaluation_json : path
        What the acceptance gate and the evaluation measured; kept as metrics.
    examples : path
        Some patterns of the evaluation with their answers.
    model_error_json : path
        The thickness budget.
    """

    structure_dir: str | Path
    table_dir: str | Path
    stack_dir: str | Path
    models_dir: str | Path | None
    accepted_json: str | Path
    evaluation_json: str | Path
    examples: str | Path
    model_error_json: str | Path


@dataclass(frozen=True)
class TrainedGrid:
    """The parameter grid that the networks were trained on.

    Attributes
    ----------
    thickness_nm, convergence_mrad, mistilt_mrad : sequence of float
        Thicknesses [nm], semi-convergence angles [mrad], sizes of the mistilt [mrad].
    max_angle_mrad : float
        Half width of the field of view at scale 1 [mrad].
    """

    thickness_nm: Sequence[float]
    convergence_mrad: Sequence[float]
    mistilt_mrad: Sequence[float]
    max_angle_mrad: float

    def ranges(self) -> Ranges:
        """Smallest and largest value along each axis."""
        return Ranges(
            thickness_nm=(min(self.thickness_nm), max(self.thickness_nm)),
            convergence_mrad=(min(self.convergence_mrad), max(self.convergence_mrad)),
            mistilt_mrad=(min(self.mistilt_mrad), max(self.mistilt_mrad)),
        )


def pack_bundle(sources: BundleSources, grid: TrainedGrid, *, system: str, out_bundle: str | Path) -> None:
    """Put everything a prediction needs into one file.

    Parameters
    ----------
    sources : BundleSources
    grid : TrainedGrid
    system : str
        Name of the material system.
    out_bundle : path
        The ``.pacbed`` file; complete or absent.

    Raises
    ------
    FormatError
        Structure, table and stack belong to different systems, or one of them is damaged.
    """
    check_same_system(
        structure=of_structure(sources.structure_dir),
        table=of_table(sources.table_dir),
        stack=of_stack(sources.stack_dir),
    )
    out = Path(out_bundle)
    with scratch_folder(out.with_name(f"{out.name}.folder.part")) as folder:
        _copy_members(sources, folder)
        stack_pixels = write_sample(sources.stack_dir, folder / VALIDATION)
        table = RockingTable.load(sources.table_dir)
        recipe = Recipe.of(table, grid.ranges(), grid.max_angle_mrad)
        levels = write_compact(table, recipe, folder / TABLE)
        replace(recipe, levels=levels).save(folder / STRUCTURE)
        write_bundle(folder, _meta(sources, grid, table, system=system, stack_pixels=stack_pixels), out)


def _copy_members(sources: BundleSources, folder: Path) -> None:
    """Cell, slices, networks and example answers as the stages before wrote them, without pictures and stamps."""
    shutil.copytree(sources.structure_dir, folder / STRUCTURE, ignore=shutil.ignore_patterns("*.png", ".*"))
    (folder / EXAMPLES).parent.mkdir()
    shutil.copyfile(sources.examples, folder / EXAMPLES)
    if sources.models_dir is not None:
        for name in (f"{task}.{suffix}" for task in TASKS for suffix in ("onnx", "json")):
            (folder / name).write_bytes(read_exported(Path(sources.models_dir), name))


def _meta(
    sources: BundleSources, grid: TrainedGrid, table: RockingTable, *, system: str, stack_pixels: int
) -> BundleMeta:
    budget = _read_json(sources.model_error_json)
    measured = {"accepted": sources.accepted_json, "evaluation": sources.evaluation_json}
    class_values = {}
    if sources.models_dir is not None:
        models = Path(sources.models_dir)
        class_values = {task: _read_json(models / f"{task}.json")["class_values"] for task in TASKS}
        measured["parity"] = models / PARITY
    return BundleMeta(
        system=system,
        crystal={name: table.facts[name] for name in ("formula", "zone_axis", "thermal_model")},
        energy_kev=table.energy_ev / 1e3,
        trained=grid.ranges(),
        max_angle_mrad=grid.max_angle_mrad,
        stack_pixels=stack_pixels,
        class_values=class_values,
        model_error=ModelError.model_validate({name: budget[name] for name in ModelError.model_fields}),
        metrics={name: _read_json(path) for name, path in measured.items()},
        versions=installed_versions(),
        members={},
    )


def _read_json(path: str | Path) -> Any:
    return json.loads(Path(path).read_text(encoding="utf-8"))
