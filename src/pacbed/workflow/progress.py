"""How far a run of Snakemake is: a line for each finished stage, with the time that is left."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Iterator, Mapping

from pacbed.config.system import SystemConfig
from pacbed.workflow.table_size import block_count, core_seconds

# Seconds of a job on one core, interpreter and imports included; measured on SrTiO3 [001] at 200 kV to 100 nm. They
# matter only for the time that is left.
SECONDS = {
    "orient_structure": 40.0,
    "check_convergence": 20.0,
    "gather_rocking_table": 6.0,
    "referee_simulation": 40.0,
    "accept_simulation": 2.0,
    "assemble_stack": 15.0,
    "train_network": 300.0,
    "export_networks": 30.0,
    "evaluate": 30.0,
    "model_error": 40.0,
    "pack_bundle": 10.0,
}
START_S = 4.0  # of a job's process
TRUSTED_S = 60.0  # weigh as much as what was measured: a first job that is short says little of the machine
STAGES = {
    "orient_structure": "crystal and numerics",
    "check_convergence": "convergence of the numerics",
    "simulate_rocking_block": "rocking table",
    "gather_rocking_table": "rocking table joined",
    "referee_simulation": "referee by direct simulation",
    "accept_simulation": "simulation accepted",
    "assemble_stack": "patterns of the grid",
    "train_network": "networks",
    "export_networks": "networks exported",
    "evaluate": "errors measured",
    "model_error": "thickness budget",
    "pack_bundle": "bundle packed",
}
_PLANNED = re.compile(r"^([a-z_]+) +(\d+)$")
_FINISHED = re.compile(r"^Finished jobid: \d+ \(Rule: (\w+)\)")


class Progress:
    """Reads the lines that Snakemake writes.

    Parameters
    ----------
    system : SystemConfig
        What is built; says how heavy the jobs are.

    Attributes
    ----------
    error : str or None
        What the first job that failed says, one line.
    """

    def __init__(self, system: SystemConfig) -> None:
        self.error: str | None = None
        block_s = START_S + core_seconds(system) / block_count(system)
        self._seconds: Mapping[str, float] = {**SECONDS, "simulate_rocking_block": block_s}
        self._planned: Counter[str] = Counter()
        self._done: Counter[str] = Counter()
        self._started = time.monotonic()

    def read(self, line: str) -> Iterator[str]:
        """Take one line of Snakemake; yields what the user is told of it."""
        line = line.rstrip()
        if not self._done and (planned := _PLANNED.match(line)) and planned[1] in self._seconds:
            self._planned[planned[1]] = int(planned[2])
        elif (finished := _FINISHED.match(line)) and finished[1] in self._planned:
            self._done[finished[1]] += 1
            yield self._told(finished[1])
        elif line.startswith("error: ") and self.error is None:
            self.error = line.removeprefix("error: ")

    def _told(self, rule: str) -> str:
        done, planned = self._done, self._planned
        several = f" {done[rule]} of {planned[rule]}" if planned[rule] > 1 else ""
        head = f"[{done.total()}/{planned.total()}] {STAGES[rule]}{several}"
        left = self._left_s()
        return head if left is None else f"{head}, about {_spoken(left)} left"

    def _left_s(self) -> float | None:
        """Time left if the rest goes as fast as what is done and `TRUSTED_S` of the weights; None at the end."""
        total, done = (sum(self._seconds[r] * n for r, n in counts.items()) for counts in (self._planned, self._done))
        elapsed = time.monotonic() - self._started
        return None if done >= total else (elapsed + TRUSTED_S) / (done + TRUSTED_S) * (total - done)


def _spoken(seconds: float) -> str:
    return f"{max(5, 5 * round(seconds / 5))} s" if seconds < 90 else f"{round(seconds / 60)} min"
