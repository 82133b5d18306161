"""The profile for Slurm on a Slurm: two systems at once, through a cancelled run, a failed job and a lost node."""

import hashlib
import shutil
import signal
import subprocess
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from pacbed.networks.trained import load_networks_from
from pacbed.simulation.table.block_file import read_block

from .cluster import Job, wait_until
from .conftest import ROOT, Workplace

pytestmark = pytest.mark.slurm
MINI, BARE = "results/mini/bundle/mini.pacbed", "results/bare/simulation/rocking"
BLOCK = "rule_simulate_rocking_block"
ACTIVE = ("RUNNING", "PENDING", "COMPLETING", "CONFIGURING")
START_S, LOSS_S, END_S = 150, 90, 420


class Story(NamedTuple):
    """What was seen on the way.

    Attributes
    ----------
    folder : Path
        Where the two systems were made.
    cancelled : tuple of Job
        Jobs once the first run was interrupted.
    left : list of str
        What was wrong with the files of the first run.
    stopped : str
        Name of the job that was stopped from outside, once.
    lost : set of str
        Names of the jobs whose node was lost.
    status : int
        Exit status of the second run.
    jobs : list of Job
        All of both runs.
    """

    folder: Path
    cancelled: list[Job]
    left: list[str]
    stopped: str
    lost: set[str]
    status: int
    jobs: list[Job]


@pytest.fixture(scope="module")
def story(cluster, workplace):
    """The first run is interrupted among its blocks; the second has a job stopped and a node taken away, and ends."""
    cancelled = cancel_among_blocks(cluster, workplace, MINI, BARE)
    left = half_written(workplace.folder / "results")
    run = workplace.on_slurm(MINI, BARE)
    try:
        stopped = stop_a_block(cluster, run)
        lost = lose_a_node(cluster, run)
        status = run.wait(END_S)
    finally:
        if run.poll() is None:
            run.kill()
        print(workplace.said())
        print("\n".join(" ".join(job) for job in cluster.jobs()))
    return Story(workplace.folder, cancelled, left, stopped, lost, status, cluster.jobs())


def cancel_among_blocks(cluster, workplace, *targets):
    """Press Ctrl-C as soon as a block is computed; returns what Slurm then says of the jobs."""
    run = workplace.on_slurm(*targets)
    try:
        logs = workplace.folder / "results" / "mini" / "logs" / "simulate_rocking_block"
        wait_until(lambda: run.poll() is not None or any(logs.glob("*.log")), "a block to be computed", START_S)
        run.send_signal(signal.SIGINT)
        run.wait(START_S)
        wait_until(lambda: not any(job.state in ACTIVE for job in cluster.jobs()), "the jobs to be cancelled", START_S)
    finally:
        if run.poll() is None:
            run.kill()
    return cluster.jobs()


def stop_a_block(cluster, run):
    """Stop one block from outside, as a limit of memory would, and wait until it was done after all."""
    before = len(cluster.jobs())
    job = await_job(cluster, run, lambda job: job.state == "RUNNING" and job.name.startswith(BLOCK), after=before)
    subprocess.run(["scancel", job.number], check=True)
    await_job(cluster, run, lambda other: other.name == job.name and other.state == "COMPLETED", after=before)
    return job.name


def lose_a_node(cluster, run):
    """Take away a node on which nothing runs for the second time, and give it back when Slurm has noticed."""

    def first_attempts(node):
        jobs = cluster.jobs()
        names = [job.name for job in jobs if job.state in ("COMPLETED", "RUNNING", "CANCELLED", "FAILED")]
        running = [job.name for job in jobs if job.state == "RUNNING" and job.node == node]
        return running if all(names.count(name) == 1 for name in running) else []

    wait_until(lambda: run.poll() is not None or first_attempts("n1") or first_attempts("n2"), "a job", START_S)
    node = "n1" if first_attempts("n1") else "n2"
    lost = set(first_attempts(node))
    cluster.lose_node(node)
    wait_until(lambda: any(job.state == "NODE_FAIL" for job in cluster.jobs()), "Slurm to miss the node", LOSS_S)
    cluster.start_node(node)
    return lost


def await_job(cluster, run, wanted, *, after=0):
    """The first job of that kind, among those that were sent after so many."""
    found: list[Job] = []

    def there():
        assert run.poll() is None, "the run ended before"
        found[:] = [job for job in cluster.jobs()[after:] if wanted(job)]
        return bool(found)

    wait_until(there, "a job", START_S)
    return found[0]


def half_written(results):
    """Files under their final names that end too early; a block that does raises an error."""
    files = [path for path in results.rglob("*.json") if ".part" not in str(path)]
    wrong = [str(path) for path in files if not path.read_bytes().endswith(b"}\n")]
    for block in results.glob("*/simulation/blocks/[0-9]*"):
        if block.suffix == "" and block.is_dir():
            read_block(block)
    return wrong


def test_a_cancelled_run_leaves_no_jobs_and_nothing_half_written(story):
    assert any(job.state == "CANCELLED" for job in story.cancelled)
    assert story.left == []


def test_the_rerun_makes_both_systems(story):
    assert story.status == 0
    assert (story.folder / MINI).is_file() and (story.folder / BARE / "done.json").is_file()
    assert [path for path in (story.folder / "results").rglob("*") if ".part" in path.name] == []


def test_a_job_that_was_stopped_asks_for_twice_the_memory(story):
    sent = [job for job in story.jobs[len(story.cancelled) :] if job.name == story.stopped]
    assert [job.state for job in sent] == ["CANCELLED", "COMPLETED"]
    assert sent[1].memory_mb == pytest.approx(2 * sent[0].memory_mb, abs=2)


def test_jobs_of_a_lost_node_run_again(story):
    assert story.lost
    for name in story.lost:
        states = [job.state for job in story.jobs[len(story.cancelled) :] if job.name == name]
        assert states == ["NODE_FAIL", "COMPLETED"], name


def test_no_job_waits_for_a_node_that_is_not_there(story):
    """Two cores and 8,000 MB: what a rule asks for at first, and after a failure, fits."""
    assert max(int(job.cores) for job in story.jobs) <= 2
    assert max(job.memory_mb for job in story.jobs) < 8000


def test_results_are_those_of_a_run_on_this_machine(story, tmp_path):
    """From the same structure, whose FFT plans decide the last bits: table and stack are the same, networks agree."""
    local = Workplace(Path(shutil.copytree(story.folder, tmp_path / "local")))
    results = local.folder / "results" / "mini"
    for folder in results.iterdir():
        if folder.name != "structure":
            shutil.rmtree(folder)
    target = "results/mini/models/parity.json"
    done = subprocess.run(local.command("--cores", "2", target), capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    assert "orient_structure" not in done.stderr
    there = story.folder / "results" / "mini"
    for name in ("simulation/rocking", "stack"):
        assert digests(there / name) == digests(results / name), name
    expected, image = load_networks_from(there / "models"), np.random.default_rng(1).random((32, 32))
    for task, network in load_networks_from(results / "models").items():
        found, wanted = (one.answer(image, 13.5).probability for one in (network, expected[task]))
        np.testing.assert_allclose(found, wanted, atol=1e-3, err_msg=task)


def digests(folder):
    """SHA-256 of every file below a folder, but for Snakemake's stamps."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file() and path.name[0] != ".")
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
