"""From a CIF file to a bundle: runs the workflow in a folder beside the bundle, and goes on where a run was stopped."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import yaml

from pacbed.config.system import validate_config
from pacbed.config.values import BUNDLE_SUFFIX
from pacbed.errors import PacbedError, SimulationError, bad_value
from pacbed.locks import locked
from pacbed.outputs import file_aside, write_text
from pacbed.shipped import SNAKEFILE, shipped
from pacbed.workflow.progress import Progress
from pacbed.workflow.request import BuildRequest, system_name

NEEDED = ("snakemake", "abtem", "spglib")
NEEDED_TO_TRAIN = ("keras", "tensorflow", "tf2onnx")
# Of Snakemake: this process has a lock of its own, and a failure ends the run (the default profile goes on elsewhere).
OPTIONS = ("--nolock", "--rerun-incomplete", "--show-failed-logs", "--workflow-profile", "none")
PATIENCE_S = 10.0  # for Snakemake to end its jobs
CONFIG, LOG = "config.yaml", "build.log"
Tell = Callable[[str], None]


def build_bundle(
    request: BuildRequest, out: str | Path, *, cores: int, overwrite: bool = False, keep: bool = False, tell: Tell
) -> None:
    """Make a bundle and, beside it, the configuration file that describes it.

    Parameters
    ----------
    request : BuildRequest
    out : path
        The ``.pacbed`` file; its configuration has the suffix ``.yaml``, its work folder ``.building``. The folder
        remains after a failure, for the next call to go on with.
    cores : int
        Jobs that run side by side.
    overwrite : bool
        Replace bundle and configuration that are there.
    keep : bool
        Keep the work folder after success.
    tell : callable
        Receives a line at the start and after each stage.

    Raises
    ------
    ParameterError, ConfigError
        A value is not accepted, or a file would be overwritten.
    SimulationError
        The workflow is not installed or stopped; the message says why, and where its log lies.
    """
    out = Path(out)
    asked = _checked(request, out, cores=cores, overwrite=overwrite)
    work = work_folder(out)
    try:
        with locked(work / "lock") as descriptor:
            write_text(yaml.safe_dump(asked, sort_keys=False), work / CONFIG)
            tell(f"working in {work}; a build that is stopped goes on from there")
            _run(asked, work, cores, descriptor, tell)
            name = system_name(out)
            with file_aside(out) as aside:
                shutil.copyfile(work / "results" / name / "bundle" / f"{name}.pacbed", aside)
            write_text((work / CONFIG).read_text(encoding="utf-8"), out.with_suffix(".yaml"))
    except BlockingIOError:
        raise bad_value("out", str(out), f"a bundle that nobody is building; one is at work in {work}") from None
    if not keep:
        shutil.rmtree(work)


def work_folder(out: Path) -> Path:
    """Where a bundle is built."""
    return out.with_name(f"{out.name}.building")


def _checked(request: BuildRequest, out: Path, *, cores: int, overwrite: bool) -> dict[str, Any]:
    """The configuration, if all can begin."""
    if out.suffix != BUNDLE_SUFFIX or out.is_dir():
        raise bad_value("out", str(out), "a file name that ends in .pacbed")
    if cores < 1:
        raise bad_value("cores", cores, "1 or more")
    for file in (out, out.with_suffix(".yaml")):
        if file.exists() and not overwrite:
            raise bad_value("out", str(out), f"a new name, or --overwrite: {file} exists")
    asked = request.configuration(system_name(out))
    modules = NEEDED if request.networks == "none" else NEEDED + NEEDED_TO_TRAIN
    missing = [module for module in modules if find_spec(module) is None]
    if missing:
        raise SimulationError(
            f"workflow: got no {', '.join(missing)}, accepted: an installation that can simulate: "
            "pip install 'pacbed[workflow]'"
        )
    return asked


def _run(asked: Mapping[str, Any], work: Path, cores: int, lock: int, tell: Tell) -> None:
    """Run Snakemake to its end; its own lines go to the log."""
    (system,) = validate_config(asked).systems.values()
    progress, log = Progress(system), work / LOG
    command = [sys.executable, "-m", "snakemake", "--cores", str(cores), *OPTIONS]
    command += ["--snakefile", str(shipped(SNAKEFILE)), "--directory", str(work), "--configfile", str(work / CONFIG)]
    # A profile of the user's own could send the jobs elsewhere.
    environment = {key: value for key, value in os.environ.items() if key != "SNAKEMAKE_PROFILE"}
    with (
        log.open("w", encoding="utf-8") as stream,
        subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", env=environment,
            pass_fds=(lock,),  # who goes on after this process was killed must wait for its child
            start_new_session=True,  # ended as a whole, by `_end`; a terminal's Ctrl-C reaches this process alone
        ) as child,
    ):  # fmt: skip
        try:
            for line in child.stdout or ():
                stream.write(line)
                stream.flush()
                for told in progress.read(line):
                    tell(told)
            status = child.wait()
        finally:
            if child.poll() is None:
                _end(child)
    if status != 0:
        raise _failure(progress.error, log)


def _end(child: subprocess.Popen[str]) -> None:
    """End Snakemake with its jobs, which leave nothing half-written."""
    os.killpg(child.pid, signal.SIGINT)
    try:
        child.wait(PATIENCE_S)
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()


def _failure(said: str | None, log: Path) -> PacbedError:
    return SimulationError(f"{said or 'the workflow stopped'} (log: {log}; the same command goes on from there)")
