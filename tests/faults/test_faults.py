"""What happens to a run and its files must not change an answer: it is survived, or it is named."""

import os
import re
import shutil
import signal
import time
from contextlib import suppress

import numpy as np
import psutil
import pytest

from pacbed.bundle.archive import Archive
from pacbed.errors import FormatError

from .conftest import AWKWARD, BUNDLE, digests, kill, start, wait_until

pytestmark = pytest.mark.faults
TABLE, STACK = "simulation/rocking", "stack"
AFTER_STRUCTURE = ("simulation", "stack", "evaluation", "bundle")
SEED = 20261129


def results(workplace):
    return workplace.folder / "results" / "mini"


def said(done):
    return done.stdout + done.stderr


def assert_same_values(workplace, finished):
    """Table, stack and bundle are those of the run that nothing happened to, and nothing half-written is left."""
    for name in (TABLE, STACK):
        assert digests(results(workplace) / name) == digests(results(finished.workplace) / name), name
    assert members(workplace) == members(finished.workplace)
    assert [path for path in results(workplace).rglob("*") if ".part" in path.name] == []


def members(workplace):
    return Archive(workplace.folder / BUNDLE).meta.members


def test_a_second_run_is_refused_and_the_first_goes_on(finished):
    assert finished.second.returncode == 1
    assert "lock" in said(finished.second).lower()


def test_inputs_stay_as_they_were(finished):
    now = digests(finished.workplace.folder)
    assert {name: now[name] for name in finished.inputs} == finished.inputs
    assert {name for name in now if name.startswith("structures")} <= set(finished.inputs)


def test_a_path_with_blanks_umlauts_and_brackets_is_one_path(finished):
    assert finished.workplace.folder.name == AWKWARD
    assert (finished.workplace.folder / BUNDLE).is_file()
    assert [path.name for path in finished.workplace.folder.parent.iterdir()] == [AWKWARD]


def test_kills_change_nothing(without, finished):
    """Snakemake with its jobs at three moments drawn once, then one job alone; then a run to the end."""
    workplace, rng = without(*AFTER_STRUCTURE), np.random.default_rng(SEED)
    logs = results(workplace) / "logs"
    shutil.rmtree(logs)
    for jobs in (1, 3, 5):
        run = start(workplace, "--cores", "2", BUNDLE)
        wait_until(lambda count=jobs: len(list(logs.rglob("*.log"))) >= count, run)
        time.sleep(rng.uniform(0, 3))
        kill(run)
        assert workplace.snakemake("--unlock").returncode == 0
    run = start(workplace, "--cores", "2", BUNDLE)
    wait_until(lambda: scripts_of(run), run)
    os.kill(scripts_of(run)[0], signal.SIGKILL)
    assert run.wait(300) == 1
    done = workplace.snakemake("--cores", "2", BUNDLE)
    assert done.returncode == 0, said(done)[-4000:]
    assert_same_values(workplace, finished)


def scripts_of(run):
    """Numbers of the processes that compute something for a run."""
    found = []
    for process in psutil.Process(run.pid).children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            if ".snakemake/scripts/" in " ".join(process.cmdline()):
                found.append(process.pid)
    return found


@pytest.mark.parametrize(
    ("removed", "target"),
    [
        (AFTER_STRUCTURE, "simulation/blocks/0"),
        (("stack", "evaluation", "bundle"), "stack"),
        (("bundle",), "bundle/mini.pacbed"),
    ],
    ids=["block", "stack", "bundle"],
)
def test_a_full_disk_is_named_and_a_rerun_finishes(without, finished, small_disk, removed, target):
    workplace = without(*removed)
    ballast = small_disk(workplace.folder / "results", left=40_000)
    done = workplace.snakemake("--cores", "1", f"results/mini/{target}")
    assert done.returncode == 1
    assert "No space left on device" in said(done)
    assert not (results(workplace) / target).exists()
    ballast.unlink()
    done = workplace.snakemake("--cores", "1", f"results/mini/{target}")
    assert done.returncode == 0, said(done)[-4000:]
    made, expected = (results(place) / target for place in (workplace, finished.workplace))
    assert digests(made if made.is_dir() else made.parent) == digests(expected if made.is_dir() else expected.parent)
    assert [path for path in results(workplace).rglob("*") if ".part" in path.name] == []


def flip(file):
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 0x10
    file.write_bytes(content)


def cut(file):
    file.write_bytes(file.read_bytes()[:-7])


@pytest.mark.parametrize(
    ("damage", "damaged", "chunks", "target"),
    [
        (flip, TABLE, "rocking.zarr/codes/c", "stack"),
        (flip, STACK, "stack.zarr/pattern/c", "evaluation/errors.json"),
        (cut, STACK, "stack.zarr/pattern/c", "evaluation/errors.json"),
    ],
    ids=["table flipped", "stack flipped", "stack truncated"],
)
def test_a_damaged_chunk_is_named_and_what_is_named_is_made_again(without, finished, damage, damaged, chunks, target):
    workplace = without("bundle")
    for file in (results(workplace) / damaged / chunks).rglob("*"):
        if file.is_file():
            damage(file)
    done = workplace.snakemake("--cores", "1", "--force", f"results/mini/{target}")
    assert done.returncode == 1
    named = re.search(rf"(results/mini/{damaged})\b.*(damaged|truncated)", said(done))
    assert named, said(done)[-4000:]
    assert not (results(workplace) / target).exists()
    shutil.rmtree(workplace.folder / named[1])
    done = workplace.snakemake("--cores", "2", "results/mini/stack")
    assert done.returncode == 0, said(done)[-4000:]
    for name in (TABLE, STACK):
        assert digests(results(workplace) / name) == digests(results(finished.workplace) / name), name


@pytest.mark.parametrize("damage", [flip, cut])
def test_a_damaged_bundle_is_named_and_made_again(without, finished, damage):
    workplace = without()
    file = workplace.folder / BUNDLE
    damage(file)
    with pytest.raises(FormatError, match=rf"bundle {re.escape(str(file))}: .*damaged"):
        Archive(file).verify()
    file.unlink()
    done = workplace.snakemake("--cores", "1", BUNDLE)
    assert done.returncode == 0, said(done)[-4000:]
    assert file.read_bytes() == (finished.workplace.folder / BUNDLE).read_bytes()
