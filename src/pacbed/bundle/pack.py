"""Packs a bundle from what the stages before it made."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import zarr

from pacbed.bundle.archive import META, members_of, zip_folder
from pacbed.bundle.compact import write_compact
from pacbed.bundle.meta import BundleMeta, ModelError, Ranges
from pacbed.bundle.recipe import Recipe
from pacbed.config.values import TASKS
from pacbed.crystal.potentials import of_structure
from pacbed.logs import installed_versions
from pacbed.outputs import leaves_nothing_half_written
from pacbed.simulation.stack.stored import of_stack
from pacbed.simulation.table.rocking_table import RockingTable, of_table
from pacbed.systems import check_same_system

SERIES_DIMENSIONS = ("series", "thickness_nm", "ky_mrad", "kx_mrad")
VALIDATION_SERIES = 3


@leaves_nothing_half_written("out_bundle")
def pack_bundle(
    *,
    system: str,
    structure_dir: str | Path,
    table_dir: str | Path,
    stack_dir: str | Path,
    models_dir: str | Path,
    accepted_json: str | Path,
    evaluation_json: str | Path,
    model_error_json: str | Path,
    thickness_nm: Sequence[float],
    convergence_mrad: Sequence[float],
    mistilt_mrad: Sequence[float],
    max_angle_mrad: float,
    out_bundle: str | Path,
) -> None:
    """Put everything a prediction needs into one file that appears complete or not at all.

    Parameters
    ----------
    system : str
        Name of the material system.
    structure_dir, table_dir, stack_dir, models_dir : path
        Folders of the stages before.
    accepted_json, evaluation_json : path
        What the acceptance gate and the evaluation measured; kept as metrics.
    model_error_json : path
        The thickness budget.
    thickness_nm, convergence_mrad, mistilt_mrad : sequence of float
        The grid the networks were trained on.
    max_angle_mrad : float
        Half width of the field of view at scale 1 [mrad].
    out_bundle : path
        The ``.pacbed`` file.
    """
    check_same_system(structure=of_structure(structure_dir), table=of_table(table_dir), stack=of_stack(stack_dir))
    out = Path(out_bundle)
    folder = _copy_parts(Path(structure_dir), Path(models_dir), out.with_name(out.name + ".folder.part"))
    pixels = _sample_stack(Path(stack_dir), folder / "validation.zarr")
    trained = _ranges(thickness_nm, convergence_mrad, mistilt_mrad)
    table = _compact_table(table_dir, trained, max_angle_mrad, folder)
    meta = BundleMeta(
        system=system,
        crystal={name: table.facts[name] for name in ("formula", "zone_axis", "thermal_model")},
        energy_kev=table.energy_ev / 1e3,
        trained=trained,
        max_angle_mrad=max_angle_mrad,
        stack_pixels=pixels,
        class_values={task: _json(folder / f"{task}.json")["class_values"] for task in TASKS},
        model_error=_model_error(model_error_json),
        metrics=_metrics(accepted_json, evaluation_json, models_dir),
        versions=installed_versions(),
        members=members_of(folder),
    )
    (folder / META).write_text(meta.model_dump_json(indent=2) + "\n", encoding="utf-8")
    zip_folder(folder, out)
    shutil.rmtree(folder)


def _json(path: str | Path) -> Any:
    return json.loads(Path(path).read_text(encoding="utf-8"))


def _copy_parts(structure_dir: Path, models_dir: Path, folder: Path) -> Path:
    """A new folder with cell, slice potentials and networks, as the stages before wrote them."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    shutil.copytree(structure_dir, folder / "structure", ignore=shutil.ignore_patterns("*.png", ".*"))
    for task in TASKS:
        for suffix in ("onnx", "json"):
            shutil.copyfile(models_dir / f"{task}.{suffix}", folder / f"{task}.{suffix}")
    return folder


def _ranges(thickness_nm: Sequence[float], convergence_mrad: Sequence[float], mistilt_mrad: Sequence[float]) -> Ranges:
    """Smallest and largest value along each axis of the grid."""
    return Ranges(
        thickness_nm=(min(thickness_nm), max(thickness_nm)),
        convergence_mrad=(min(convergence_mrad), max(convergence_mrad)),
        mistilt_mrad=(min(mistilt_mrad), max(mistilt_mrad)),
    )


def _compact_table(table_dir: str | Path, trained: Ranges, max_angle_mrad: float, folder: Path) -> RockingTable:
    """Store what the trained ranges need of a table, and how to make it again; returns the whole table."""
    table = RockingTable.load(table_dir)
    largest = (trained.thickness_nm[1], trained.convergence_mrad[1], trained.mistilt_mrad[1])
    recipe = Recipe.of(table, *largest, max_angle_mrad)
    recipe.save(folder / "structure")
    write_compact(table, recipe, folder / "rocking.zarr")
    return table


def _model_error(path: str | Path) -> ModelError:
    """The part of the thickness budget that a prediction needs."""
    budget = _json(path)
    return ModelError.model_validate({name: budget[name] for name in ModelError.model_fields})


def _metrics(accepted_json: str | Path, evaluation_json: str | Path, models_dir: str | Path) -> dict[str, Any]:
    return {
        "accepted": _json(accepted_json),
        "evaluation": _json(evaluation_json),
        "parity": _json(Path(models_dir) / "parity.json"),
    }


def _sample_stack(stack_dir: Path, target: Path) -> int:
    """Copy a few held-out series, evenly spread; returns the stack's pixels."""
    stack = zarr.open_group(str(stack_dir / "stack.zarr"), mode="r")
    held_out = np.argwhere(np.asarray(stack["split"][...]) == 1)  # type: ignore[index]
    chosen = held_out[np.unique(np.linspace(0, len(held_out) - 1, min(VALIDATION_SERIES, len(held_out))).astype(int))]
    pattern: Any = stack["pattern"]
    group = zarr.open_group(str(target), mode="w", zarr_format=3)
    values = np.stack([np.asarray(pattern[i, j]) for i, j in chosen])
    scale = {"scale_factor": pattern.attrs["scale_factor"], "units": pattern.attrs["units"]}
    group.create_array(
        "pattern", data=values, chunks=(1, *values.shape[1:]), attributes=scale, dimension_names=SERIES_DIMENSIONS
    )
    for name, column in (("convergence_mrad", 0), ("mistilt_mrad", 1), ("azimuth_deg", 1)):
        along: Any = stack[name]
        group.create_array(name, data=np.asarray(along[...])[chosen[:, column]], dimension_names=("series",))
    for name in ("thickness_nm", "ky_mrad", "kx_mrad"):
        axis: Any = stack[name]
        group.create_array(name, data=np.asarray(axis[...]), dimension_names=(name,))
    return int(values.shape[-1])
