"""Elastic intensity against thickness: frozen phonons, and the three ways to do without them.

    python benchmarks/absorption.py srtio3_300kv rutile_80kv

writes benchmarks/absorption.json and docs/images/absorption.png. `--draw` redraws the picture from the figures.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from pacbed.config.system import SystemConfig, load_config
from pacbed.crystal.cif import read_cif
from pacbed.crystal.lattice import representatives
from pacbed.crystal.orientation import orient
from pacbed.crystal.potentials import SlicePotentials
from pacbed.crystal.slicing import slice_potentials
from pacbed.crystal.vibration import vibrating_atoms
from pacbed.simulation.multislice.aperture import sample_aperture
from pacbed.simulation.multislice.frozen_phonons import FrozenPhononEngine, PhononRocking
from pacbed.simulation.multislice.phonon_pool import phonon_pool
from pacbed.simulation.multislice.plane_wave import PlaneWaveEngine

HERE = Path(__file__).resolve().parent
FIGURES, PICTURE = HERE / "absorption.json", HERE.parent / "docs" / "images" / "absorption.png"
MODELS = ("debye_waller_absorptive", "debye_waller", "none")
ALPHA_MRAD, MISTILT_MRAD = 20.0, (1.3, 0.7)
THICKNESS_NM, SPACING_NM = 100.0, 5.0
CELLS, POOL, DIRECTIONS, CONFIGURATIONS = 3, 32, 150, 4
STRONGEST = 3
GRIDS = {"srtio3_300kv": (36, 2), "rutile_80kv": (40, 2)}  # points per edge and slices per period, as the workflow's
TITLES = {"srtio3_300kv": "SrTiO$_3$ [001], 300 kV", "rutile_80kv": "rutile TiO$_2$ [001], 80 kV"}
COLOURS = {
    "frozen_phonons": "black",
    "debye_waller_absorptive": "tab:blue",
    "debye_waller": "tab:orange",
    "none": "tab:red",
}
NAMES = {
    "debye_waller_absorptive": "Debye-Waller, absorptive",
    "debye_waller": "Debye-Waller",
    "none": "atoms at rest",
}


def structure(system: SystemConfig, points: int, count: int) -> dict[str, SlicePotentials]:
    """Slices of every thermal model on a grid of so many points along each edge, so many to a period."""
    oriented = orient(read_cif(system.crystal.cif), system.crystal.zone_axis)
    return {
        model: slice_potentials(
            oriented,
            zone_axis=system.crystal.zone_axis,
            energy_ev=1e3 * system.beam.energy_kev,
            grid=(points, points),
            slices=count,
            thermal_model=model,
            parametrization=system.crystal.parametrization,
        )
        for model in ("frozen_phonons", *MODELS)
    }


def measure(system: SystemConfig, points: int, count: int) -> dict:
    """Elastic fraction and strongest beams of one system, every 5 nm."""
    others = structure(system, points, count)
    mean = others.pop("frozen_phonons")
    aperture = sample_aperture(
        mean, alpha_mrad=ALPHA_MRAD, mistilt_mrad=MISTILT_MRAD, field_mrad=ALPHA_MRAD, directions=DIRECTIONS
    )
    indices = (np.arange(-((points - 1) // 2), (points - 1) // 2 + 1) for points in mean.grid)
    every = np.stack(np.meshgrid(*indices, indexing="ij"), axis=-1).reshape(-1, 2)
    periods = max(1, round(10 * SPACING_NM / mean.period_a))
    options = {
        "beams": every,
        "planes": round(10 * THICKNESS_NM / periods / mean.period_a),
        "periods_per_plane": periods,
    }
    start = time.perf_counter()
    pool = phonon_pool(mean, vibrating_atoms(mean, cells=CELLS), entries=POOL, seed=1)
    engine = FrozenPhononEngine(mean, pool, configurations=CONFIGURATIONS)
    phonons = engine.run(aperture.q, keys=np.arange(len(aperture.q)), **options)
    seconds = time.perf_counter() - start
    intensity = {name: PlaneWaveEngine(slices).run(aperture.q, **options).intensity for name, slices in others.items()}
    chosen = strongest(mean, every, phonons.intensity)
    return {
        "grid_px": list(mean.grid),
        "directions": len(aperture.q),
        "configurations": CONFIGURATIONS,
        "cells": CELLS,
        "alpha_mrad": ALPHA_MRAD,
        "mistilt_mrad": list(MISTILT_MRAD),
        "frozen_phonons_s": round(seconds, 1),
        "thickness_nm": rounded(np.arange(options["planes"] + 1) * periods * mean.period_a / 10),
        "sampled": sampled(phonons, chosen),
        "diffuse": rounded(phonons.absorbed.mean(axis=1)),
        "lost": rounded(phonons.lost.mean(axis=1)),
        "elastic": {name: rounded(totals(array)) for name, array in named(phonons, intensity)},
        "beams": {
            label: {name: rounded(array[:, :, index].mean(axis=(1, 2))) for name, array in named(phonons, intensity)}
            for label, index in chosen.items()
        },
    }


def named(phonons: PhononRocking, intensity: dict[str, np.ndarray]):
    return (("frozen_phonons", phonons.intensity), *intensity.items())


def totals(intensity: np.ndarray) -> np.ndarray:
    return intensity.sum(axis=2, dtype=float).mean(axis=1)


def strongest(slices: SlicePotentials, beams: np.ndarray, intensity: np.ndarray) -> dict[str, np.ndarray]:
    """Columns of the strongest sets of equivalent beams, averaged over aperture and thickness."""
    operations = np.round(np.linalg.inv(slices.group).transpose(0, 2, 1)).astype(int)
    image = representatives(beams, operations)[0]
    sets, index = np.unique(image, axis=0, return_inverse=True)
    power = np.bincount(index.ravel(), weights=intensity.mean(axis=(0, 1)))
    best = np.argsort(-power)[:STRONGEST]
    return {"{} {}".format(*sets[one]): np.flatnonzero(index.ravel() == one) for one in best}


def sampled(phonons: PhononRocking, chosen: dict[str, np.ndarray]) -> dict:
    """Elastic part from pairs of configurations, with its standard error over the directions."""
    found = {"elastic": phonons.sampled.sum(axis=2), "exact": phonons.intensity.sum(axis=2)}
    result = {"elastic": spread(found["elastic"], found["exact"])}
    for label, index in chosen.items():
        columns = (array[:, :, index].mean(axis=2) for array in (phonons.sampled, phonons.intensity))
        result[label] = spread(*columns)
    return result


def spread(estimate: np.ndarray, exact: np.ndarray) -> dict[str, list[float]]:
    """Mean over directions; its error is that of the deviation from the exact value of the same direction."""
    error = (estimate - exact).std(axis=1, ddof=1) / np.sqrt(estimate.shape[1])
    return {"mean": rounded(estimate.mean(axis=1)), "error": rounded(error)}


def rounded(values: np.ndarray) -> list[float]:
    return [float(f"{value:.5g}") for value in values]


def draw(figures: dict) -> None:
    """Elastic fraction, strongest beams, and deviations from the thermal mean, one row per system."""
    systems = figures["systems"]
    figure = Figure(figsize=(11.5, 3.5 * len(systems)), layout="constrained")
    for row, (name, found) in zip(figure.subplots(len(systems), 3, squeeze=False), systems.items(), strict=True):
        depth = np.array(found["thickness_nm"])
        draw_total(row[0], depth, found)
        row[0].set_title(TITLES.get(name, name), loc="left")
        draw_beams(row[1], depth, found)
        draw_deviation(row[2], depth, found)
        for axis in row:
            axis.set(xlabel="thickness (nm)", xlim=(0, depth[-1] + 1))
    FigureCanvasAgg(figure).print_figure(PICTURE, dpi=110)


def draw_total(axis, depth: np.ndarray, found: dict) -> None:
    for model in MODELS:
        axis.plot(depth, found["elastic"][model], color=COLOURS[model], label=NAMES[model])
    points(axis, depth, found["sampled"]["elastic"], "frozen phonons")
    axis.set(ylabel="elastic fraction of the beam", ylim=(0, 1.03))
    axis.legend(frameon=False, fontsize=8, loc="lower left")


def draw_beams(axis, depth: np.ndarray, found: dict) -> None:
    for label, curves in found["beams"].items():
        first = 0 if label == "0 0" else 1  # diffracted beams start from nothing
        for model in MODELS:
            axis.plot(depth[first:], curves[model][first:], color=COLOURS[model], linewidth=1)
        estimate = {key: values[first:] for key, values in found["sampled"][label].items()}
        points(axis, depth[first:], estimate, None)
        end = (depth[-1], curves["frozen_phonons"][-1])
        axis.annotate(f"({label})", end, xytext=(7, -3), textcoords="offset points", fontsize=8, annotation_clip=False)
    axis.set(ylabel="beam intensity, mean over aperture", yscale="log")


def draw_deviation(axis, depth: np.ndarray, found: dict) -> None:
    """Relative to the thermal mean of the transmission functions, which frozen phonons have in the limit."""
    exact, model = found["elastic"]["frozen_phonons"], "debye_waller_absorptive"
    axis.axhline(0, color="black", linewidth=0.8)
    for style, (label, curves) in zip(("--", "-.", ":"), found["beams"].items(), strict=True):
        values = percent(curves[model], curves["frozen_phonons"])
        axis.plot(depth, values, style, color=COLOURS[model], label=f"({label})", linewidth=0.8)
    whole = percent(found["elastic"][model], exact)
    axis.plot(depth, whole, color=COLOURS[model], label="all beams", linewidth=2)
    estimate = found["sampled"]["elastic"]
    points(
        axis,
        depth,
        {"mean": percent(estimate["mean"], exact), "error": 100 * np.array(estimate["error"]) / np.array(exact)},
        "frozen phonons, all beams",
    )
    axis.set(ylabel="deviation from the thermal mean (%)", ylim=(-3.5, 4.5))
    axis.legend(frameon=False, fontsize=8, loc="upper left", ncols=2, title="absorptive: blue", title_fontsize=8)


def percent(values: list[float], exact: list[float]) -> np.ndarray:
    """Relative deviation in percent; none at the entrance surface, where diffracted beams have no intensity."""
    deviation = np.zeros(len(exact))
    deviation[1:] = 100 * (np.array(values)[1:] / np.array(exact)[1:] - 1)
    return deviation


def points(axis, depth: np.ndarray, estimate: dict, label: str | None) -> None:
    style = {"fmt": "o", "color": "black", "markersize": 3, "linewidth": 1}
    axis.errorbar(depth, estimate["mean"], estimate["error"], label=label, **style)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("systems", nargs="*", default=list(GRIDS), metavar="SYSTEM", help=" or ".join(GRIDS))
    parser.add_argument("--draw", action="store_true", help="only redraw the picture")
    options = parser.parse_args()
    if not set(options.systems) <= set(GRIDS):
        parser.error(f"systems: got {options.systems}, accepted: {' '.join(GRIDS)}")
    figures = json.loads(FIGURES.read_text()) if FIGURES.exists() else {"systems": {}}
    if not options.draw:
        for name in options.systems:
            system = load_config([HERE.parent / "config" / f"{name}.yaml"]).systems[name]
            figures["systems"][name] = measure(system, *GRIDS[name])
            FIGURES.write_text(json.dumps(figures, indent=1) + "\n")
    draw(figures)


if __name__ == "__main__":
    main()
