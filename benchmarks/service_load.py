"""Load for the service: a server of its own, distinct patterns, requests at fixed times whatever the answers do."""

from __future__ import annotations

import asyncio
import io
import itertools
import os
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import psutil
import yaml

from pacbed.analysis.render import render
from pacbed.bundle.reader import load_bundle

BUNDLE, ANGLE = "rutile_80kv", 20.0
READY_S = 600
PIXELS, ELECTRONS = 180, 2e6
KINDS = 24  # rendered patterns; every request adds noise of its own
Ask = Callable[[httpx.AsyncClient, int], Awaitable[httpx.Response]]


@dataclass
class Load:
    """What became of a series of requests.

    Attributes
    ----------
    seconds : list of float
        Time of each answer with status 200 [s], from when it was due.
    statuses : Counter
    wall : float
        Time from the first to the last answer [s].
    cpu : float
        Processor time of server and workers [s].
    """

    seconds: list[float] = field(default_factory=list)
    statuses: Counter = field(default_factory=Counter)
    wall: float = 0.0
    cpu: float = 0.0

    def figures(self) -> dict[str, Any]:
        """Figures of the series."""
        done = len(self.seconds)
        spread = np.quantile(self.seconds, (0.5, 0.95)) if done else (np.nan, np.nan)
        return {
            "requests": sum(self.statuses.values()),
            "answered": done,
            "per_s": round(done / max(self.wall, 1e-9), 3),
            "p50_s": round(float(spread[0]), 3),
            "p95_s": round(float(spread[1]), 3),
            "cpu_s": round(self.cpu / max(done, 1), 3),
            "statuses": {str(status): count for status, count in sorted(self.statuses.items())},
        }


class Patterns:
    """Endless recorded patterns, no two alike, as NPY files."""

    def __init__(self, seed: int = 1) -> None:
        bundle, self._rng = load_bundle(BUNDLE), np.random.default_rng(seed)
        depth = np.linspace(5, 95, KINDS)
        images = [render(bundle, thickness_nm=nm, convergence_mrad=ANGLE, pixels=PIXELS) for nm in depth]
        self._images = [image * (ELECTRONS / image.sum()) for image in images]
        self._kinds = itertools.cycle(range(KINDS))

    def next(self) -> bytes:
        """One more."""
        stream = io.BytesIO()
        np.save(stream, self._rng.poisson(self._images[next(self._kinds)]).astype(np.uint16))
        return stream.getvalue()


@dataclass
class Server:
    """A service that runs.

    Attributes
    ----------
    process : psutil.Process
    url, token : str
    home : pathlib.Path
    start_s : float
        From the command to ready [s].
    """

    process: psutil.Process
    url: str
    token: str
    home: Path
    start_s: float

    def cpu(self) -> float:
        """Processor time of the server and all that it started and still runs [s]."""
        total = 0.0
        for one in [self.process, *self.process.children(recursive=True)]:
            try:
                total += sum(one.cpu_times()[:2])
            except psutil.Error:
                continue
        return total

    def rss_gb(self) -> float:
        """Their resident memory together [GB]."""
        return sum(one.memory_info().rss for one in [self.process, *self.process.children(recursive=True)]) / 1e9

    def left(self) -> dict[str, int]:
        """What requests may have left behind: files of theirs, processes, open files."""
        return {
            "scratch": len(list((self.home / "scratch").iterdir())),
            "processes": len(self.process.children(recursive=True)),
            "open_files": self.process.num_fds(),
        }

    def named(self, name: str) -> str:
        """A named token."""
        command = [sys.executable, "-m", "pacbed.cli", "service", "token", "add", name, "--home", str(self.home)]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@contextmanager
def running(folder: Path, *, workers: int, **settings: Any) -> Iterator[Server]:
    """A service in a folder, ready."""
    folder.mkdir(parents=True)
    (folder / "service.yaml").write_text(yaml.safe_dump({"home": str(folder / "home"), **settings}))
    command = [sys.executable, "-m", "pacbed.cli", "serve", "--port", "0", "--workers", str(workers)]
    command += ["--config", str(folder / "service.yaml"), "--token-file", str(folder / "url")]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    started = time.monotonic()
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=log, env=environment)
    try:
        while not (folder / "url").exists():
            time.sleep(0.1)
        url, token = (folder / "url").read_text().strip().split("/?token=")
        while httpx.get(f"{url}/readyz").status_code != 200:
            assert process.poll() is None and time.monotonic() - started < READY_S
            time.sleep(0.1)
        yield Server(psutil.Process(process.pid), url, token, folder / "home", time.monotonic() - started)
    finally:
        process.terminate()
        process.wait(120)


def asking(patterns: Patterns, *, same: bytes | None = None, **fields: str) -> Ask:
    """A look-up of one more pattern, or of the same again."""
    data = {"bundle": BUNDLE, "convergence_mrad": str(ANGLE), **fields}

    async def ask(client: httpx.AsyncClient, number: int) -> httpx.Response:
        content = patterns.next() if same is None else same
        return await client.post("/api/v1/lookups", files={"file": (f"{number}.npy", content)}, data=data)

    return ask


async def open_loop(server: Server, ask: Ask, *, per_s: float, seconds: float, token: str = "") -> Load:
    """Send requests at a fixed rate, whether earlier ones are answered or not."""
    load, cpu = Load(), server.cpu()
    headers = {"Authorization": f"Bearer {token or server.token}"}
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=100)
    async with httpx.AsyncClient(base_url=server.url, headers=headers, timeout=300, limits=limits) as client:
        began = time.monotonic()

        async def one(number: int) -> None:
            due = began + number / per_s
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            await _sent(client, ask, number, due, load)

        await asyncio.gather(*(one(number) for number in range(max(1, int(per_s * seconds)))))
    load.wall, load.cpu = time.monotonic() - began, server.cpu() - cpu
    return load


async def closed_loop(server: Server, ask: Ask, *, count: int, at_once: int, token: str = "") -> Load:
    """Send requests one after the other in a few lines at once: what the service sustains."""
    load, cpu, numbers = Load(), server.cpu(), iter(range(count))
    headers = {"Authorization": f"Bearer {token or server.token}"}
    async with httpx.AsyncClient(base_url=server.url, headers=headers, timeout=300) as client:
        began = time.monotonic()

        async def line() -> None:
            for number in numbers:
                await _sent(client, ask, number, time.monotonic(), load)

        await asyncio.gather(*(line() for _ in range(at_once)))
    load.wall, load.cpu = time.monotonic() - began, server.cpu() - cpu
    return load


async def _sent(client: httpx.AsyncClient, ask: Ask, number: int, due: float, load: Load) -> None:
    answer = await ask(client, number)
    load.statuses[answer.status_code] += 1
    if answer.status_code == 200:
        load.seconds.append(time.monotonic() - due)


def money(cpu_s: float, per_hour: float) -> float:
    """Price of 1,000 look-ups at a price of a core's hour."""
    return round(1000 * cpu_s / 3600 * per_hour, 4)


def machine() -> str:
    """The machine in a few words."""
    text = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else ""
    model = re.search(r"^model name\s*: (.*)$", text, flags=re.MULTILINE)
    return f"{model[1] if model else 'unknown'}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.0f} at the end"
