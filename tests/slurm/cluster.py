"""A Slurm of two virtual nodes on this machine: started without systemd, stopped by its process ids."""

from __future__ import annotations

import ctypes
import os
import re
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import psutil

NODES = {"n1": 16821, "n2": 16822}  # name and port
# Steps of jobs lose SLURM_CONF on their way, so the configuration has to lie where Slurm looks by itself.
SYSTEM_CONF = Path("/etc/slurm/slurm.conf")
PR_SET_CHILD_SUBREAPER = 36  # prctl(2)
READY_S, STOP_S = 60, 10

CONF = """\
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CryptoType=crypto/munge
SlurmUser=root
SlurmdUser=root
SlurmctldPort=16817
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool-%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd-%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SchedulerParameters=sched_interval=1,bf_interval=1
MpiDefault=none
SwitchType=switch/none
ReturnToService=2
KillWait=5
MinJobAge=600
SlurmdTimeout=10
PartitionName=main Nodes={nodes} Default=YES MaxTime=INFINITE State=UP
"""
NODE = "NodeName={name} NodeHostname={host} NodeAddr=127.0.0.1 Port={port} CPUs=2 RealMemory=8000\n"


class Job(NamedTuple):
    """What Slurm says of a job; `name` is Snakemake's, with its wildcards, memory such as "605M", time as "0:12"."""

    number: str
    state: str
    node: str
    memory: str
    cores: str
    time: str
    name: str

    @property
    def memory_mb(self) -> float:
        """Memory asked for [MiB]."""
        return float(self.memory[:-1]) * {"M": 1, "G": 1024}[self.memory[-1]]


class Cluster:
    """The running daemons, and what Slurm says of its jobs.

    Attributes
    ----------
    folder : pathlib.Path
        Configuration, state, sockets and logs.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._conf = folder / "slurm.conf"
        self._daemons: dict[str, subprocess.Popen[bytes]] = {}

    def start(self) -> None:
        """Start everything; raises TimeoutError if the nodes are not idle in time."""
        host = socket.gethostname().split(".")[0]
        lines = [NODE.format(name=name, host=host, port=port) for name, port in NODES.items()]
        self._conf.write_text("".join([*lines, CONF.format(host=host, folder=self.folder, nodes=",".join(NODES))]))
        (self.folder / "state").mkdir()
        SYSTEM_CONF.parent.mkdir(exist_ok=True)
        SYSTEM_CONF.symlink_to(self._conf)
        key = self.folder / "munge.key"
        key.write_bytes(os.urandom(1024))
        key.chmod(0o400)
        files = {"key-file": "key", "socket": "socket", "pid-file": "pid", "log-file": "log", "seed-file": "seed"}
        options = [f"--{option}={self.folder / f'munge.{end}'}" for option, end in files.items()]
        self._run("munged", "--foreground", "--force", *options)
        wait_until((self.folder / "munge.socket").exists, "munged to open its socket", READY_S)
        self._run("slurmctld", "-D", "-c", "-f", str(self._conf))
        for name in NODES:
            self.start_node(name)
        wait_until(lambda: self.states().count("idle") == len(NODES), "two idle nodes", READY_S)

    def start_node(self, name: str) -> None:
        """Start the daemon of a node."""
        self._run("slurmd", "-D", "-c", "-N", name, "-f", str(self._conf), title=name)

    def states(self) -> list[str]:
        """State of every node, such as "idle"."""
        done = subprocess.run(["sinfo", "-h", "-N", "-o", "%T"], capture_output=True, text=True, check=False)
        return done.stdout.split()  # nothing as long as the controller does not answer

    def jobs(self) -> list[Job]:
        """Every job so far, in the order in which they were sent."""
        form = ",".join(
            f"{name}:|" for name in ("JobID", "State", "NodeList", "MinMemory", "NumCPUs", "TimeUsed", "Comment")
        )
        command = ["squeue", "-h", "--states=all", "--sort=i", "-O", form]
        text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        return [Job(*line.split("|")[:7]) for line in text.splitlines()]

    def lose_node(self, name: str) -> None:
        """Kill a node's daemon and every process of its jobs at once, as a power cut does."""
        running = {job.number for job in self.jobs() if job.state == "RUNNING" and job.node == name}
        daemon = self._daemons.pop(name)
        steps = [process for process in descendants() if job_of(process) in running]
        for process in [psutil.Process(daemon.pid), *steps, *(child for step in steps for child in below(step))]:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        daemon.wait()

    def stop(self) -> None:
        """End every process that this one started, gently at first, and whatever came of them."""
        SYSTEM_CONF.unlink(missing_ok=True)
        for daemon in self._daemons.values():
            daemon.terminate()
        _, alive = psutil.wait_procs(descendants(), timeout=STOP_S)
        for process in alive:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(descendants(), timeout=STOP_S)
        for daemon in self._daemons.values():
            daemon.wait()  # so that nobody thinks it is still running

    def _run(self, *command: str, title: str = "") -> None:
        with (self.folder / f"{title or command[0]}.out").open("wb") as out:
            self._daemons[title or command[0]] = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT)


@contextmanager
def running_cluster(folder: Path) -> Iterator[Cluster]:
    """A cluster that is gone afterwards, with every process of its jobs."""
    if SYSTEM_CONF.exists():
        raise FileExistsError(f"{SYSTEM_CONF} belongs to a Slurm of this machine, which the tests must not disturb")
    SYSTEM_CONF.unlink(missing_ok=True)  # a link that leads nowhere: what a killed run of these tests left
    # Daemons of jobs cut the ties to their parents; so they stay among our descendants.
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    cluster = Cluster(folder)
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()


def descendants() -> list[psutil.Process]:
    """Processes that this one started, directly or not."""
    return psutil.Process().children(recursive=True)


def below(process: psutil.Process) -> list[psutil.Process]:
    """Descendants of a process that may have ended."""
    try:
        return process.children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def job_of(process: psutil.Process) -> str | None:
    """Number of the job that a daemon of Slurm looks after."""
    try:
        title = " ".join(process.cmdline())
    except psutil.Error:
        return None
    found = re.match(r"slurmstepd: \[(\d+)\.", title)
    return found and found[1]


def wait_until(condition: Callable[[], bool], what: str, limit_s: float) -> None:
    """Wait for a condition; raises TimeoutError that says for what."""
    end = time.monotonic() + limit_s
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"waited {limit_s:.0f} s for {what}")
        time.sleep(0.5)
