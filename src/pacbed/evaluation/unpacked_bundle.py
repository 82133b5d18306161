"""Stands in for a bundle that is not packed yet: the evaluation comes before the packing, whose metrics it delivers."""

from __future__ import annotations

import hashlib
from functools import cached_property
from pathlib import Path

import numpy as np

from pacbed.bundle.meta import BundleMeta, ModelError, Ranges
from pacbed.bundle.reader import Bundle
from pacbed.evaluation.truths import Stack
from pacbed.logs import installed_versions
from pacbed.networks.trained import TrainedNetwork, load_networks_from
from pacbed.simulation.table.rocking_table import RockingTable


class UnpackedBundle(Bundle):
    """A bundle made of the folders that the workflow's earlier rules wrote.

    Parameters
    ----------
    table_dir : path
        Rocking table.
    stack : Stack
        Says what the networks were trained on.
    models_dir : path or None
        Networks with their descriptions; None where there are no networks.
    """

    def __init__(self, table_dir: str | Path, stack: Stack, models_dir: str | Path | None) -> None:
        self.path = Path(table_dir)
        self._models_dir = models_dir
        self.meta = BundleMeta(
            system="not packed",
            crystal={name: self.table.facts[name] for name in ("formula", "zone_axis", "thermal_model")},
            energy_kev=self.table.energy_ev / 1e3,
            trained=Ranges(
                thickness_nm=_span(stack.thickness_nm),
                convergence_mrad=_span(stack.convergence_mrad),
                mistilt_mrad=_span(stack.mistilt_mrad),
            ),
            max_angle_mrad=stack.max_angle_mrad,
            stack_pixels=stack.pixels,
            class_values={task: network.class_values.tolist() for task, network in self.networks.items()},
            model_error=ModelError.share(0, "truth and fit share one model"),
            metrics={},
            versions=installed_versions(),
            members={},
        )

    @cached_property
    def table(self) -> RockingTable:
        """The rocking table."""
        return RockingTable.load(self.path)

    @cached_property
    def networks(self) -> dict[str, TrainedNetwork]:
        """The three networks, by task, if there are any."""
        return {} if self._models_dir is None else load_networks_from(self._models_dir)

    @cached_property
    def sha256(self) -> str:
        """Hash of the table's list of hashes."""
        return hashlib.sha256((self.path / "done.json").read_bytes()).hexdigest()


def _span(values: np.ndarray) -> tuple[float, float]:
    return float(np.min(values)), float(np.max(values))
