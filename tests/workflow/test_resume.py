"""A run that is killed between and within blocks goes on with those that were finished, to the very same table."""

import json
import os
import shutil
import signal
import subprocess
import time

import numpy as np
import pytest

from pacbed.simulation.table.rocking_table import ARRAYS, RockingTable

from .conftest import Workplace, make_workplace

pytestmark = pytest.mark.workflow
TABLE = "results/mini/simulation/rocking"
BLOCKS = 5


def blocks_of(folder):
    return {path.name: path for path in (folder / "results/mini/simulation/blocks").glob("*") if path.name.isdigit()}


def kill_within_a_block(workplace, configs, *, after):
    """Start a run and kill all its processes while it computes the block that follows `after` finished ones."""
    logs = workplace.folder / "results/mini/logs/simulate_rocking_block"
    run = subprocess.Popen(
        workplace.command("--cores", "1", TABLE, configs=configs),
        start_new_session=True,
        cwd=workplace.root,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        while len(list(logs.glob("*.log"))) <= after:  # one at a time: the next one's log says that these are done
            assert run.poll() is None, "the run ended before it was killed"
            time.sleep(0.02)
    finally:
        if run.poll() is None:
            os.killpg(run.pid, signal.SIGKILL)
        run.wait()


def copy_without_blocks(workplace, folder):
    """A workplace with the same structure, whose FFT plans decide the last bits of a table, but none of its blocks."""
    shutil.copytree(workplace.folder, folder)
    for part in ("blocks", "rocking"):
        shutil.rmtree(folder / "results/mini/simulation" / part)
    return Workplace(folder)


def test_killed_run_goes_on_with_the_finished_blocks(tmp_path):
    (tmp_path / "killed").mkdir()
    killed = make_workplace(tmp_path / "killed")
    configs = killed.overlay({"simulation": {"blocks": BLOCKS}})
    kill_within_a_block(killed, configs, after=2)
    before = {name: (path / "block.npz").stat().st_mtime_ns for name, path in blocks_of(killed.folder).items()}
    assert len(before) == 2
    assert not (killed.folder / TABLE).exists()

    assert killed.snakemake("--unlock", configs=configs).returncode == 0  # as Snakemake tells who was killed
    done = killed.snakemake("--cores", "1", TABLE, configs=configs)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    after = {name: (path / "block.npz").stat().st_mtime_ns for name, path in blocks_of(killed.folder).items()}
    assert len(after) == BLOCKS
    assert {name: after[name] for name in before} == before

    # One run in one piece, with another number of blocks: the automatic one.
    whole = copy_without_blocks(killed, tmp_path / "whole")
    done = whole.snakemake("--cores", "1", TABLE, configs=whole.overlay({"simulation": {"blocks": "auto"}}))
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    assert "orient_structure" not in done.stderr
    assert len(blocks_of(whole.folder)) != BLOCKS
    tables = [RockingTable.load(workplace.folder / TABLE) for workplace in (killed, whole)]
    for name in ARRAYS:
        np.testing.assert_array_equal(getattr(tables[0], name), getattr(tables[1], name), err_msg=name)
    digests = [json.loads((workplace.folder / TABLE / "done.json").read_text()) for workplace in (killed, whole)]
    assert digests[0] == digests[1]
