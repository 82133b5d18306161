"""A finished system under an awkward path, made while a second run was tried, and ways to copy it and take it apart."""

import hashlib
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml

from ..workflow.conftest import Workplace, make_workplace  # noqa: TID252 - the same workplace, two folders of tests

AWKWARD = "Schichten für Jürgen (neu)"
BUNDLE = "results/mini/bundle/mini.pacbed"
PATIENCE_S = 300


class Finished(NamedTuple):
    """A workplace in which everything is made.

    Attributes
    ----------
    workplace : Workplace
    second : subprocess.CompletedProcess
        The run that was tried meanwhile on the same folder.
    inputs : dict of str to str
        What the inputs held before the run.
    """

    workplace: Workplace
    second: subprocess.CompletedProcess
    inputs: dict


@pytest.fixture(scope="package")
def finished(tmp_path_factory):
    """The mini system without recordings and networks, made from inputs that cannot be written to."""
    folder = tmp_path_factory.mktemp("faults") / AWKWARD
    folder.mkdir()
    workplace = make_workplace(folder)
    mini = yaml.safe_load((folder / "mini.yaml").read_text())
    system = {key: value for key, value in mini["systems"]["mini"].items() if key not in ("patterns", "datasets")}
    (folder / "mini.yaml").write_text(yaml.safe_dump({"systems": {"mini": {**system, "training": {"recipe": "none"}}}}))
    inputs = digests(folder)
    with read_only(folder / "structures"):
        first = start(workplace, "--cores", "2")
        try:
            logs = folder / "results" / "mini" / "logs"
            wait_until(lambda: logs.is_dir() and any(logs.iterdir()), first)
            second = workplace.snakemake("--cores", "1")
            status = first.wait(PATIENCE_S)
        finally:
            kill(first)
    assert status == 0, (folder / "snakemake.out").read_text()[-6000:]
    return Finished(workplace, second, inputs)


@pytest.fixture
def without(finished, tmp_path):
    """Copies the finished workplace, and removes some of its results."""

    def copy(*names):
        folder = Path(shutil.copytree(finished.workplace.folder, tmp_path / AWKWARD))
        for name in names:
            gone = folder / "results" / "mini" / name
            shutil.rmtree(gone) if gone.is_dir() else gone.unlink()
        return Workplace(folder)

    return copy


def start(workplace, *arguments):
    """Start a run in a process group of its own; its lines go to ``snakemake.out``."""
    with (workplace.folder / "snakemake.out").open("a") as out:
        return subprocess.Popen(
            workplace.command(*arguments), stdout=out, stderr=subprocess.STDOUT, cwd=workplace.root,
            start_new_session=True,
        )  # fmt: skip


def kill(run):
    """Kill a run with all its jobs, as a power cut does."""
    if run.poll() is None:
        os.killpg(run.pid, 9)
    run.wait()


def wait_until(condition, run):
    """Wait for something that happens while a run goes on."""
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert run.poll() is None, "the run ended before"
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.05)


def digests(folder):
    """SHA-256 of every file below a folder, but for Snakemake's stamps."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file() and path.name[0] != ".")
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """Forbid writing to a folder, also to root where mounting is allowed."""
    mode = folder.stat().st_mode
    mounted = subprocess.run(["mount", "--bind", folder, folder], capture_output=True, check=False).returncode == 0
    if mounted:
        subprocess.run(["mount", "-o", "remount,ro,bind", folder], check=True)
    else:
        folder.chmod(0o555)
    try:
        yield
    finally:
        subprocess.run(["umount", folder], check=True) if mounted else folder.chmod(mode)


@pytest.fixture
def small_disk():
    """Puts a folder onto a disk of its own that has so many bytes left; `release` then makes room."""
    mounts: list[Path] = []

    def put(folder: Path, left: int) -> Path:
        used = sum(-(-path.stat().st_size // 4096) * 4096 for path in folder.rglob("*"))
        aside = Path(shutil.move(folder, folder.with_name(f"{folder.name}.aside")))
        folder.mkdir()
        size = f"size={used + 64_000_000}"
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", size, "tmpfs", folder], capture_output=True, check=False)
        if done.returncode != 0:
            pytest.skip("mounting a small disk needs root")
        mounts.append(folder)
        shutil.copytree(aside, folder, dirs_exist_ok=True)
        ballast = folder / "ballast"
        ballast.write_bytes(bytes(max(0, shutil.disk_usage(folder).free - left)))
        return ballast

    yield put
    for folder in mounts:
        subprocess.run(["umount", "-l", folder], check=True)
