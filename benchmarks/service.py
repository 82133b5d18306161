"""What the look-up service bears: speed, fairness, overload, long runs, and damaged input in numbers.

    python benchmarks/service.py [--share 0.1] [SCENARIO ...]

starts services of its own with the bundle rutile_80kv and writes ``benchmarks/service.json``, ``service.md`` and
``service.png``. A share below 1 makes times and counts shorter by it, and is written down. A scenario measured before
keeps its figures until it is measured again.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import runpy
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
from service_load import BUNDLE, Patterns, Server, asking, closed_loop, machine, money, open_loop, running  # noqa: E402

USD_CORE_HOUR = 0.04  # the paper's price of a core
RATE = 16.0  # look-ups a second of 1,000 people, one a minute each (the paper)
ASKED = {
    "networks": {"p95_s": ("<=", 0.5), "cpu_s": ("<=", 0.09)},
    "refined": {"per_s": (">=", 1.5), "alone_p95_s": ("<=", 2.0)},
    "sheet": {"per_s": (">=", 1.0), "two_workers_over_one": (">=", 1.8)},
    "again": {"p95_s": ("<=", 0.05)},
    "fair": {"p95_ratio": ("<=", 2.0)},
    "overload": {"rss_gb": ("<=", 3.0), "recovered_s": ("<=", 10.0)},
    "start": {"s": ("<=", 20.0)},
    "soak": {"rss_growth": ("<=", 0.05)},
    "fuzz": {"server_errors": ("<=", 0)},
    "schema": {"failures": ("<=", 0)},
}
DAMAGED, EXAMPLES = 5000, 80


def networks(server: Server, patterns: Patterns, share: float) -> dict[str, Any]:
    """Networks only, no sheet, 16 requests a second for five minutes."""
    ask = asking(patterns, refine="false")
    return asyncio.run(open_loop(server, ask, per_s=RATE, seconds=300 * share)).figures()


def refined(server: Server, patterns: Patterns, share: float) -> dict[str, Any]:
    """JSON alone: what is sustained, and one at a time."""
    ask = asking(patterns)
    figures = asyncio.run(closed_loop(server, ask, count=_count(120, share), at_once=4)).figures()
    alone = asyncio.run(closed_loop(server, ask, count=_count(40, share), at_once=1)).figures()
    return {**figures, "alone_p95_s": alone["p95_s"], "alone_p50_s": alone["p50_s"]}


def sheet(server: Server, patterns: Patterns, share: float) -> dict[str, Any]:
    """Refined, with sheet: two workers against one, and what 16 a second would take."""
    ask, count = asking(patterns, sheet="link"), _count(80, share)
    two = asyncio.run(closed_loop(server, ask, count=count, at_once=4)).figures()
    with tempfile.TemporaryDirectory() as folder, running(Path(folder) / "one", workers=1) as single:
        one = asyncio.run(closed_loop(single, ask, count=count // 2 + 1, at_once=4)).figures()
    return {
        **two,
        "two_workers_over_one": round(two["per_s"] / one["per_s"], 2),
        "cores_for_16_per_s": round(RATE * two["cpu_s"], 1),
        "usd_per_1000": money(two["cpu_s"], USD_CORE_HOUR),
    }


def again(server: Server, patterns: Patterns, share: float) -> dict[str, Any]:
    """The same question again."""
    same = patterns.next()
    asyncio.run(closed_loop(server, asking(patterns, same=same), count=1, at_once=1))
    return asyncio.run(closed_loop(server, asking(patterns, same=same), count=_count(300, share), at_once=1)).figures()


def fair(server: Server, patterns: Patterns, share: float) -> dict[str, Any]:
    """One token sends 400 patterns, another looks up now and then."""
    many, rare = (server.named(f"{name}{time.time_ns()}") for name in ("many", "rare"))
    ask, count = asking(patterns, refine="false"), _count(20, share)

    async def both() -> tuple[dict[str, Any], dict[str, Any]]:
        quiet = await open_loop(server, ask, per_s=1.0, seconds=count, token=rare)
        crowd = asyncio.create_task(closed_loop(server, ask, count=_count(400, share), at_once=2, token=many))
        busy = await open_loop(server, ask, per_s=1.0, seconds=count, token=rare)
        await crowd
        return quiet.figures(), busy.figures()

    quiet, busy = asyncio.run(both())
    return {"alone_p95_s": quiet["p95_s"], **busy, "p95_ratio": round(busy["p95_s"] / quiet["p95_s"], 2)}


def overload(server: Server, patterns: Patterns, share: float) -> dict[str, Any]:
    """Four times more than is sustained, then none."""
    ask = asking(patterns, refine="false")
    before = asyncio.run(closed_loop(server, ask, count=_count(40, share), at_once=2)).figures()
    usual = asyncio.run(closed_loop(server, ask, count=_count(20, share), at_once=1)).figures()["p95_s"]
    load = asyncio.run(open_loop(server, ask, per_s=4 * before["per_s"], seconds=120 * share))
    rss, ended, recovered = server.rss_gb(), time.monotonic(), 0.0
    while True:
        one = asyncio.run(closed_loop(server, ask, count=3, at_once=1)).figures()
        recovered = time.monotonic() - ended
        if one["p95_s"] <= 1.5 * usual or recovered > 60:
            break
    return {**load.figures(), "rss_gb": round(rss, 2), "usual_p95_s": usual, "recovered_s": round(recovered, 1)}


def start(server: Server, patterns: Patterns, share: float) -> dict[str, Any]:
    """From the command to ready, with a warm cache."""
    return {"s": round(server.start_s, 1)}


def soak(server: Server, patterns: Patterns, share: float) -> dict[str, Any]:
    """Twenty minutes at half load."""
    ask = asking(patterns, refine="false")
    asyncio.run(closed_loop(server, ask, count=20, at_once=2))  # what every process loads once
    rss, left = server.rss_gb(), server.left()
    load = asyncio.run(open_loop(server, ask, per_s=RATE / 2, seconds=1200 * share))
    return {**load.figures(), "rss_growth": round(server.rss_gb() / rss - 1, 3), "before": left, "after": server.left()}


def fuzz(server: Server, patterns: Patterns, share: float) -> dict[str, Any]:
    """Damaged files of every format (benchmarks/fuzz_files.py)."""
    files, statuses = runpy.run_path(str(HERE / "fuzz_files.py")), Counter()
    radius = np.hypot(*np.mgrid[-32:32, -31:33])
    pattern = np.random.default_rng(0).poisson(300 * (radius < 20) * (1.2 + np.cos(radius)) + 20).astype(np.uint16)
    data = {"bundle": BUNDLE, "convergence_mrad": "20", "refine": "false"}
    headers = {"Authorization": f"Bearer {server.token}"}
    with httpx.Client(base_url=server.url, headers=headers, timeout=120) as client:
        for number in range(_count(DAMAGED, share)):
            with tempfile.TemporaryDirectory() as folder:
                path = files["make_case"](number, Path(folder), pattern).path
                file = path if path.is_file() else next(one for one in sorted(path.rglob("*")) if one.is_file())
                part = {"file": (file.name, file.read_bytes())}
                statuses[client.post("/api/v1/lookups", files=part, data=data).status_code] += 1
    errors = sum(count for status, count in statuses.items() if status not in (200, 422, 504))
    told = {str(status): count for status, count in sorted(statuses.items())}
    return {"requests": sum(statuses.values()), "statuses": told, "server_errors": errors, "left": server.left()}


def schema(server: Server, patterns: Patterns, share: float) -> dict[str, Any]:
    """Requests made from the description (schemathesis)."""
    command = [sys.executable, "-m", "schemathesis.cli", "run", f"{server.url}/api/v1/openapi.json", "--no-color"]
    command += ["--header", f"Authorization: Bearer {server.token}", "--exclude-checks", "positive_data_acceptance"]
    command += ["--seed", "1", "--max-examples", str(_count(EXAMPLES, share)), "--phases", "coverage,fuzzing"]
    with tempfile.TemporaryDirectory() as folder:
        text = subprocess.run(command, cwd=folder, capture_output=True, text=True).stdout
    cases = next((line.split()[0] for line in text.splitlines() if line.strip().endswith("skipped")), "0")
    return {"cases": cases, "failures": text.count("Test Case ID"), "end": text.strip().splitlines()[-1].strip("= ")}


SCENARIOS: dict[str, Callable[[Server, Patterns, float], dict[str, Any]]] = {
    one.__name__: one for one in (start, networks, refined, sheet, again, fair, overload, soak, fuzz, schema)
}


def _count(whole: int, share: float) -> int:
    return max(3, round(whole * share))


def markdown(figures: dict[str, Any]) -> str:
    """The page of the figures."""
    lines = [
        "# What the look-up service bears",
        "",
        "Measured by `python benchmarks/service.py` over loopback with two",
    ]
    lines += [
        "workers, the bundle rutile_80kv and patterns of 180 x 180 pixels, no two alike. Load and service share the"
    ]
    lines += ["cores. A share below 1 says how much shorter than asked a scenario was.", ""]
    lines += ["| scenario | share | figure | measured | asked |", "|---|---:|---|---:|---:|"]
    for name, part in figures.items():
        for key, (sign, bound) in ASKED[name].items():
            lines.append(f"| {name} | {part['share']:g} | `{key}` | {part[key]} | {sign} {bound} |")
    lines += ["", "| scenario | what else | machine |", "|---|---|---|"]
    for name, part in figures.items():
        other = {key: value for key, value in part.items() if key not in (*ASKED[name], "share", "machine")}
        text = ", ".join(f"{key} {json.dumps(value)}" for key, value in other.items())
        lines.append(f"| {name} | {text.replace('|', '/')} | {part['machine']} |")
    return "\n".join(lines) + "\n"


def draw(figures: dict[str, Any], path: Path) -> None:
    """Median and 95th percentile of every scenario with answers."""
    timed = {name: part for name, part in figures.items() if "p95_s" in part}
    if not timed:
        return
    figure = Figure(figsize=(6.4, 0.5 * len(timed) + 1.0), layout="constrained")
    FigureCanvasAgg(figure)
    axes, places = figure.subplots(), np.arange(len(timed))
    for shift, key, colour in ((-0.2, "p50_s", "#8fb3d9"), (0.2, "p95_s", "#2f6299")):
        label = "median" if key == "p50_s" else "95th percentile"
        axes.barh(places + shift, [part[key] for part in timed.values()], 0.38, color=colour, label=label)
    axes.set_yticks(places, list(timed))
    axes.invert_yaxis()
    axes.set_xscale("log")
    axes.set_xlabel("time of an answer (s)")
    axes.legend(frameon=False)
    figure.savefig(path, dpi=150)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scenarios", nargs="*", choices=[[], *SCENARIOS], metavar="SCENARIO")
    parser.add_argument("--share", type=float, default=1.0)
    parser.add_argument("--workers", type=int, default=2)
    told = parser.parse_args()
    file = HERE / "service.json"
    figures = json.loads(file.read_text()) if file.exists() else {}
    generous = {"limits": {"per_minute": 100_000, "at_once": 100_000, "queue": 64}}
    with (
        tempfile.TemporaryDirectory() as folder,
        running(Path(folder) / "two", workers=told.workers, **generous) as server,
    ):
        patterns = Patterns()
        for name in told.scenarios or SCENARIOS:
            measured = SCENARIOS[name](server, patterns, told.share)
            figures[name] = {**measured, "share": told.share, "machine": machine()}
            print(name, json.dumps(figures[name]), flush=True)
            figures = {one: figures[one] for one in SCENARIOS if one in figures}
            file.write_text(json.dumps(figures, indent=1) + "\n")
    (HERE / "service.md").write_text(markdown(figures))
    draw(figures, HERE / "service.png")


if __name__ == "__main__":
    main()
