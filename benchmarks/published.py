"""Three published patterns of SrTiO3: as they are, by the networks alone, cropped, turned, and at half the resolution.

    PACBED_EXPERIMENTAL_DIR=... make bench-published

The folder holds `srtio3_200kv/*.jpg` of the DeepDiffraction database (W. Xu, J. M. LeBeau, Ultramicroscopy 188 (2018)
59), which does not come with this project; the name of each carries the thickness range that its authors found.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
from scipy import ndimage

import pacbed
from pacbed.analysis.recording.pattern_file import read_pattern
from pacbed.bundle.reader import Bundle
from pacbed.outline import find_outline
from pacbed.patterns import bin_pixels

HERE = Path(__file__).resolve().parent
BUNDLE, CONVERGENCE_MRAD = "srtio3_200kv", 13.6
ANGLE_DEG = 17.0


def _cropped(image: np.ndarray) -> np.ndarray:
    """Twice the bright region."""
    outline = find_outline(image)
    low = [max(0, int(c - 2 * outline.radius_px)) for c in outline.center_px[::-1]]
    return image[low[0] :, low[1] :][: int(4 * outline.radius_px), : int(4 * outline.radius_px)]


CHANGES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "cropped to twice the disk": _cropped,
    "turned by 90°": np.rot90,
    f"turned by {ANGLE_DEG:g}°": lambda image: ndimage.rotate(_cropped(image), ANGLE_DEG, order=3, cval=np.nan),
    "half the resolution": lambda image: bin_pixels(image, 2),
}


def main() -> None:
    """Measure and write both files."""
    folder, bundle = Path(os.environ["PACBED_EXPERIMENTAL_DIR"]) / BUNDLE, pacbed.load_bundle(BUNDLE)
    figures = {}
    for file in sorted(folder.glob("*.jpg")):
        image = read_pattern(file).array.astype(float)
        low, high = re.findall(r"(\d+)-(\d+)nm", file.stem)[0]
        figures[file.stem] = {
            "label_nm": [int(low), int(high)],
            "as it is": _answer(bundle, image),
            "networks alone": _answer(bundle, image, refine=False),
            **{name: _answer(bundle, change(image)) for name, change in CHANGES.items()},
        }
    (HERE / "published.json").write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    (HERE / "published.md").write_text(markdown(figures), encoding="utf-8")


def _answer(bundle: Bundle, image: np.ndarray, *, refine: bool = True) -> dict[str, float | str | None]:
    """Thickness, its error bar [nm], verdict and misfit."""
    result = pacbed.predict(bundle, image, convergence_mrad=CONVERGENCE_MRAD, refine=refine)
    return {
        "thickness_nm": round(result.thickness_nm.value, 2),
        "std_nm": round(result.thickness_nm.std, 2),
        "verdict": result.verdict,
        "misfit": None if result.misfit is None else round(result.misfit, 4),
    }


def markdown(figures: dict) -> str:
    """Page of the figures."""
    ways = ("as it is", "networks alone", *CHANGES)
    lines = [
        "# Published patterns of SrTiO3",
        "",
        f"Measured by `make bench-published` with `{BUNDLE}`, {CONVERGENCE_MRAD:g} mrad, nothing else given:",
        "thickness [nm] and verdict. Labels are those of the authors, who compared with simulations; the patterns are",
        "not in this project. Crops, turns and half the resolution move answers by 0.2 of an error bar at most.",
        "Networks alone know nothing of the structure of diffuse scattering, and err most in thick crystals.",
        "",
        f"| pattern, label [nm] | {' | '.join(ways)} |",
        "|---" + "|---:" * len(ways) + "|",
    ]
    for name, row in figures.items():
        cells = [f"{row[way]['thickness_nm']:.1f} ± {row[way]['std_nm']:.1f} {row[way]['verdict']}" for way in ways]
        low, high = row["label_nm"]
        lines.append(f"| {name.split('-')[0]}: {low} to {high} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
