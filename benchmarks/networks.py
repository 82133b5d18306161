"""The compact networks alone, without library and fit: errors of thickness, mistilt and pixel size, and their coverage.

    python benchmarks/networks.py rutile_80kv srtio3_300kv

reads ``results/<system>/simulation/rocking``, ``results/<system>/models`` and ``config/<system>.yaml``, and writes
``benchmarks/networks.json`` and ``benchmarks/networks.md``. Truth is rendered from the table off every grid, as a
camera of the stack's pixels shows it: turned, shifted by up to 10 % of the width, with pixels 10 % smaller to 10 %
larger, blurred, and noisy in one of five ways. A system measured before keeps its figures until it is measured again.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from pacbed.analysis.networks import Asked, NetworkAnswers, ask_networks
from pacbed.analysis.picture.repair import repair
from pacbed.bundle.meta import Preprocessing
from pacbed.config.plan import plan
from pacbed.config.system import SystemConfig, load_config
from pacbed.learning.draws import DrawRanges, draw_parameters
from pacbed.networks.trained import TrainedNetwork, load_networks_from
from pacbed.outline import find_outline
from pacbed.patterns import Geometry
from pacbed.simulation.rendering.renderer import Renderer
from pacbed.simulation.table.rocking_table import RockingTable

HERE = Path(__file__).resolve().parent
SEED, NEAR_NM, NORMAL_90 = 11, 2.0, 1.6449
ANGLE_ERROR = 0.1 / 12**0.5  # of a convergence angle noted to 0.1 mrad [mrad]
NOISES: dict[str, Callable[[np.ndarray, np.random.Generator], np.ndarray]] = {
    "sigma 0": lambda image, rng: image,
    "sigma 0.05": lambda image, rng: image / image.max() + 0.05 * rng.standard_normal(image.shape),
    "sigma 0.1": lambda image, rng: image / image.max() + 0.1 * rng.standard_normal(image.shape),
    "Poisson 1e5": lambda image, rng: rng.poisson(1e5 * image / image.sum()).astype(float),
    "Poisson 1e4": lambda image, rng: rng.poisson(1e4 * image / image.sum()).astype(float),
}
ROWS = (
    ("mean_nm", "thickness, mean error [nm]"),
    ("median_nm", "thickness, median error [nm]"),
    ("near_percent", f"truth within {NEAR_NM:g} nm of a candidate [%]"),
    ("coverage_percent", "thickness inside its 90 % interval [%]"),
    ("mistilt_mrad", "mistilt, mean error of the magnitude [mrad]"),
    ("mistilt_coverage_percent", "mistilt inside its 90 % interval [%]"),
    ("vector_mrad", "mistilt, mean error of the vector [mrad]"),
    ("pixel_percent", "pixel size, mean error [%]"),
    ("pixel_coverage_percent", "pixel size inside its 90 % interval [%]"),
)


class Truth(NamedTuple):
    """One pattern and what it shows: thickness [nm], mistilt in the image [mrad], pixel size and angle told [mrad]."""

    image: np.ndarray
    thickness_nm: float
    mistilt_mrad: np.ndarray
    pixel_mrad: float
    told_mrad: float


def truths(renderer: Renderer, system: SystemConfig, count: int) -> Iterator[Truth]:
    """Random patterns of a system."""
    grid, rng = system.grid, np.random.default_rng(SEED)
    axes = {name: getattr(grid, name).values() for name in ("thickness_nm", "convergence_mrad", "mistilt_mrad")}
    drawn = draw_parameters(count, DrawRanges.spanned_by(**axes), rng=rng)
    frame = Geometry.field_of_view(system.stack.pixels, plan(system).max_angle_mrad)
    for index in range(count):
        center = np.array(frame.center_px) + drawn.shift[index] * system.stack.pixels
        pixel_mrad = float(frame.pixel_mrad * drawn.scale[index])
        view = Geometry(frame.shape, pixel_mrad, (center[0], center[1]), float(drawn.rotation_deg[index]))
        image = renderer.render(
            thickness_nm=float(drawn.thickness_nm[index]),
            convergence_mrad=float(drawn.convergence_mrad[index]),
            mistilt_mrad=drawn.mistilt_mrad[index],
            geometry=view,
            blur_mrad=float(drawn.blur_mrad[index]),
        )
        yield Truth(
            image.astype(float),
            float(drawn.thickness_nm[index]),
            view.to_image(drawn.mistilt_mrad[index]),
            pixel_mrad,
            float(drawn.convergence_mrad[index] + ANGLE_ERROR * rng.standard_normal()),
        )


def measure(name: str, patterns: int, models: Path | None = None) -> dict:
    """Figures of one system, or of other networks of it than the workflow's."""
    system = load_config([configuration(name)]).systems[name]
    folder = Path("results") / name
    models = models or folder / "models"
    networks = load_networks_from(models)
    everything = list(truths(Renderer(RockingTable.load(folder / "simulation" / "rocking")), system, patterns))
    rng, found = np.random.default_rng(SEED), {}
    ask(networks, everything[0], everything[0].image)  # starts the sessions
    for noise, spoil in NOISES.items():
        before = cpu_seconds()
        images = [spoil(truth.image, rng) for truth in everything]
        spoilt = cpu_seconds()
        answers = [ask(networks, truth, image) for truth, image in zip(everything, images, strict=True)]
        spent = 1e3 * (cpu_seconds() - spoilt) / patterns
        found[noise] = {**scores(everything, answers), "cpu_ms": round(spent, 1)}
        print(name, noise, found[noise], f"({spoilt - before:.1f} s of noise)", flush=True)
    description = json.loads((models / "thickness.json").read_text(encoding="utf-8"))
    return {
        "patterns": patterns,
        "samples": description["settings"]["samples"],
        "epochs": description["settings"]["epochs"]["thickness"],
        "temperature": round(description["calibration"]["temperature"], 2),
        "megabytes": round((models / "thickness.onnx").stat().st_size / 1e6, 2),
        "noise": found,
    }


def configuration(name: str) -> Path:
    """File of a system's configuration."""
    own = HERE.parent / "config" / f"{name}.yaml"
    return own if own.is_file() else HERE.parent / "config" / "catalogue" / f"{name}.yaml"


def ask(networks: dict[str, TrainedNetwork], truth: Truth, image: np.ndarray) -> NetworkAnswers:
    """The networks' answers, from a recorded image on."""
    array = repair(image).array
    asked = Asked(array, find_outline(array), truth.told_mrad, truth.pixel_mrad)
    return ask_networks(networks, asked, Preprocessing())


def scores(everything: list[Truth], answers: list[NetworkAnswers]) -> dict[str, float]:
    """Errors and coverage over all patterns."""
    pairs = list(zip(everything, answers, strict=True))
    first = np.array([abs(found.candidates[0].value - truth.thickness_nm) for truth, found in pairs])
    best = np.array([min(abs(peak.value - truth.thickness_nm) for peak in found.candidates) for truth, found in pairs])
    tilt = np.array([abs(found.mistilt.value - np.hypot(*truth.mistilt_mrad)) for truth, found in pairs])
    pixel = np.array([abs(found.pixel_mrad / truth.pixel_mrad - 1) for truth, found in pairs])
    bars = {
        "coverage_percent": first <= NORMAL_90 * np.array([found.candidates[0].std for found in answers]),
        "mistilt_coverage_percent": tilt <= NORMAL_90 * np.array([found.mistilt.std for found in answers]),
        "pixel_coverage_percent": pixel
        <= NORMAL_90 * np.array([(found.pixel_std_mrad or 0.0) / found.pixel_mrad for found in answers]),
        "near_percent": best <= NEAR_NM,
    }
    return {
        "mean_nm": round(float(first.mean()), 2),
        "median_nm": round(float(np.median(first)), 2),
        "mistilt_mrad": round(float(tilt.mean()), 2),
        "vector_mrad": round(float(np.mean([vector_error(truth, found) for truth, found in pairs])), 2),
        "pixel_percent": round(100 * float(pixel.mean()), 2),
        **{name: round(100 * float(inside.mean()), 1) for name, inside in bars.items()},
    }


def vector_error(truth: Truth, found: NetworkAnswers) -> float:
    """Length of the error of the mistilt's vector [mrad]; nan where no direction is told."""
    if found.direction is None:
        return float("nan")
    along = np.array([np.cos(found.direction.azimuth), np.sin(found.direction.azimuth)])
    return float(np.linalg.norm(found.mistilt.value * along - truth.mistilt_mrad))


def cpu_seconds() -> float:
    """User and system time of this process [s]."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def table(systems: dict[str, dict]) -> str:
    """The figures as Markdown."""
    lines = ["# The networks alone", "", "Made by `make bench-networks`, from `networks.json`.", ""]
    for name, figures in systems.items():
        lines += [
            f"**{name}**: {figures['samples']:,} samples, {figures['epochs']} epochs; {figures['patterns']} patterns;",
            f"temperature {figures['temperature']:g}, {figures['megabytes']:g} MB a network.",
            "",
            "| | " + " | ".join(figures["noise"]) + " |",
            "|---|" + "---|" * len(figures["noise"]),
        ]
        rows = (*ROWS, ("cpu_ms", "repair, outline and three networks [ms of one core]"))
        lines += [
            f"| {label} | " + " | ".join(f"{found[key]:g}" for found in figures["noise"].values()) + " |"
            for key, label in rows
        ]
        lines.append("")
    return "\n".join(lines)


def main() -> None:
    """Measure, and write both files."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("systems", nargs="*", default=["rutile_80kv", "srtio3_300kv"])
    parser.add_argument("--patterns", type=int, default=500)
    asked = parser.parse_args()
    file = HERE / "networks.json"
    known = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    for name in asked.systems:
        if not (Path("results") / name / "models" / "thickness.onnx").is_file():
            sys.exit(f"results/{name}/models: no exported networks; run the workflow of config/{name}.yaml first")
        known[name] = measure(name, asked.patterns)
    file.write_text(json.dumps(known, indent=2) + "\n", encoding="utf-8")
    (HERE / "networks.md").write_text(table(known), encoding="utf-8")


if __name__ == "__main__":
    main()
