"""Three simulated SrTiO3 [001] "experiments" at 200 kV, independent of the tables and networks that will read them.

abTEM probes are rastered over a frozen-phonon supercell (`pacbed.simulation.scan.probes`), a detector model is
applied, and the result is stored as a 16-bit TIFF beside the truth. The truth is drawn from a seed that was fixed
before anything was computed. Every configuration is kept in `--work`, so a run that was stopped goes on where it was.
Some 20 minutes on one core:

    uv run python examples/make_experiments.py
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import time
from pathlib import Path

import numpy as np
import tifffile
from ase import Atoms
from scipy.ndimage import gaussian_filter, map_coordinates

from pacbed.simulation.scan.displaced_atoms import SupercellGrid, frozen_phonon_periods
from pacbed.simulation.scan.probes import ScanProbe, scan_pacbed
from pacbed.simulation.scan.raster import positions_needed, rectangular_raster

SEED = 20260
PATTERNS = 3
ENERGY_EV = 200e3
CELL = 3.905  # [Å]
CELLS = (12, 12)
GRID = (480, 480)
# Each offset samples the angles between those of the supercell; each gets configurations of its own.
OFFSETS = ((0.0, 0.0), (0.5, 0.0), (0.0, 0.5), (0.5, 0.5))
CONFIGURATIONS_PER_OFFSET = 3
POSITIONS = (6, 6)
FIELD_MRAD = 70.0
PIXELS = 256
HERE = Path(__file__).parent / "srtio3_200kv"
log = logging.getLogger("make_experiments")


def strontium_titanate() -> tuple[Atoms, np.ndarray]:
    """The cubic cell and the mean-square displacement tensors of its atoms [Å^2].

    # ASSUME: isotropic displacements at room temperature, B = 0.6214 (Sr), 0.4398 (Ti), 0.7323 (O) Å^2, after Abramov
    # et al., Acta Cryst. B51 (1995) 942.
    """
    sites = [(0, 0, 0), (0.5, 0.5, 0.5), (0.5, 0.5, 0), (0.5, 0, 0.5), (0, 0.5, 0.5)]
    atoms = Atoms("SrTiO3", scaled_positions=sites, cell=[CELL] * 3, pbc=True)
    u2 = np.array([0.6214, 0.4398, 0.7323, 0.7323, 0.7323]) / (8 * np.pi**2)
    return atoms, u2[:, None, None] * np.eye(3)


def draw_truths() -> list[dict]:
    """Everything that is random about the patterns except phonons and noise, drawn in one go."""
    rng = np.random.default_rng(SEED)
    truths = []
    for _ in range(PATTERNS):
        periods = int(rng.integers(int(np.ceil(150 / CELL)), int(600 / CELL) + 1))
        convergence = round(float(rng.uniform(13.1, 14.9)), 3)
        mistilt, azimuth = float(rng.uniform(1.5, 4.5)), float(rng.uniform(0, 360))
        rotation = float(rng.uniform(-180, 180))
        truths.append(
            {
                "thickness_nm": round(periods * CELL / 10, 4),
                "convergence_mrad": convergence,
                "given_convergence_mrad": round(convergence + float(rng.uniform(-0.05, 0.05)), 1),
                "mistilt_mrad": round(mistilt, 4),
                "mistilt_azimuth_deg": round((azimuth + rotation) % 360, 3),
                "mistilt_azimuth_crystal_deg": round(azimuth, 3),
                "rotation_deg": round(rotation, 3),
                "pixel_mrad": round(float(rng.uniform(0.18, 0.30)), 4),
                "center_px": [round(float(c), 2) for c in (PIXELS - 1) / 2 + rng.uniform(-8, 8, 2)],
                "blur_mrad": round(float(rng.uniform(0.3, 0.5)), 3),
                "electrons": float(f"{10 ** rng.uniform(6, 7):.3g}"),
                "gain": round(float(rng.uniform(4, 16)), 2),
                "offset": round(float(rng.uniform(80, 400)), 1),
                "readout_noise": round(float(rng.uniform(1, 4)), 2),
                "energy_kev": ENERGY_EV / 1e3,
                "periods": periods,
            }
        )
    return truths


def simulate_configuration(truth: dict, offset: tuple[float, float], rng: np.random.Generator) -> dict[str, np.ndarray]:
    """One frozen-phonon slab and its raster of probes, as intensity per incident direction of the grid."""
    atoms, displacement = strontium_titanate()
    wavelength = 12.2643 / np.sqrt(ENERGY_EV + 0.97845e-6 * ENERGY_EV**2)
    pitch = 1e3 * wavelength / (CELL * CELLS[0])
    azimuth = np.deg2rad(truth["mistilt_azimuth_crystal_deg"])
    # ASSUME: abTEM shares a displaced atom out among four grid points, which adds some 0.0016 Å^2 to the displacements
    # (an estimate from the pitch of the grid).
    mistilt = truth["mistilt_mrad"] * np.array([np.cos(azimuth), np.sin(azimuth)])
    pattern = scan_pacbed(
        frozen_phonon_periods(atoms, displacement, cells=CELLS, grid=SupercellGrid(GRID, 2), rng=rng),
        ScanProbe(ENERGY_EV, truth["convergence_mrad"], mistilt_mrad=tuple(mistilt)),
        rectangular_raster((CELL, CELL), POSITIONS, cells=CELLS, spread=True),
        thickness_periods=[truth["periods"]],
        max_angle_mrad=FIELD_MRAD,
        offset_mrad=(offset[0] * pitch, offset[1] * pitch),
    )[0]
    return {"density": pattern.density, "kx_mrad": pattern.kx_mrad, "ky_mrad": pattern.ky_mrad}


def simulate(index: int, truth: dict, work: Path) -> tuple[np.ndarray, np.ndarray]:
    """Fraction of the beam per mrad^2 on the interleaved grid, shape (ky, kx), and both axes [mrad]."""
    finest = None
    for number in range(len(OFFSETS) * CONFIGURATIONS_PER_OFFSET):
        offset = OFFSETS[number % len(OFFSETS)]
        file = work / f"pattern_{index}_configuration_{number}.npz"
        if not file.exists():
            start = time.perf_counter()
            part = simulate_configuration(truth, offset, np.random.default_rng([SEED, index, number]))
            aside = file.with_suffix(".part.npz")
            np.savez(aside, **part)
            os.replace(aside, file)
            log.info("%s: %.0f s", file.name, time.perf_counter() - start)
        part = dict(np.load(file))
        if finest is None:
            size = len(part["kx_mrad"])
            axis = part["kx_mrad"][0] + np.arange(2 * size) * (part["kx_mrad"][1] - part["kx_mrad"][0]) / 2
            finest = np.zeros((2 * size, 2 * size))
        finest[int(2 * offset[1]) :: 2, int(2 * offset[0]) :: 2] += part["density"] / CONFIGURATIONS_PER_OFFSET
    return finest, axis


def detect(density: np.ndarray, axis: np.ndarray, truth: dict, rng: np.random.Generator) -> np.ndarray:
    """Counts on a rotated, shifted detector: Poisson and readout noise, gain and offset; uint16, shape (y, x)."""
    pitch = axis[1] - axis[0]
    blurred = gaussian_filter(density, truth["blur_mrad"] / pitch, mode="nearest")
    oversample = 3  # the mean over a pixel, not its centre
    steps = (np.arange(PIXELS * oversample) + 0.5) / oversample - 0.5
    vx = (steps[None, :] - truth["center_px"][0]) * truth["pixel_mrad"]
    vy = (steps[:, None] - truth["center_px"][1]) * truth["pixel_mrad"]
    c, s = np.cos(np.deg2rad(truth["rotation_deg"])), np.sin(np.deg2rad(truth["rotation_deg"]))
    kx, ky = c * vx + s * vy, -s * vx + c * vy  # image = R(rotation) crystal
    fine = map_coordinates(blurred, [(ky - axis[0]) / pitch, (kx - axis[0]) / pitch], order=3, mode="nearest")
    mean = fine.reshape(PIXELS, oversample, PIXELS, oversample).mean(axis=(1, 3)) * truth["pixel_mrad"] ** 2
    counts = rng.poisson(truth["electrons"] * np.clip(mean, 0, None))
    signal = truth["gain"] * counts + truth["offset"] + truth["readout_noise"] * rng.standard_normal(counts.shape)
    if signal.max() > np.iinfo(np.uint16).max:
        raise ValueError(f"gain: got {truth['gain']}, accepted: one that keeps {signal.max():.0f} below 65535")
    return np.clip(np.rint(signal), 0, None).astype(np.uint16)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, default=Path("results/experiments"), help="finished configurations")
    parser.add_argument("--out", type=Path, default=HERE)
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    arguments.work.mkdir(parents=True, exist_ok=True)
    arguments.out.mkdir(parents=True, exist_ok=True)
    truths = draw_truths()
    for truth in truths:
        needed = positions_needed(truth["convergence_mrad"], (CELL, CELL), ENERGY_EV)
        if min(POSITIONS) < max(needed):
            raise ValueError(f"POSITIONS: got {POSITIONS}, accepted: at least {needed}")
    published = {}
    for index, truth in enumerate(truths, start=1):
        log.info("experiment_%d: %s", index, truth)
        image = detect(*simulate(index, truth, arguments.work), truth, np.random.default_rng([SEED, index, 1000]))
        tifffile.imwrite(arguments.out / f"experiment_{index}.tif", image)
        published[f"experiment_{index}"] = {key: value for key, value in truth.items() if key != "periods"}
    (arguments.out / "truth.json").write_text(json.dumps({"seed": SEED, **published}, indent=2) + "\n")
    log.info("written to %s", arguments.out)


if __name__ == "__main__":
    main()
