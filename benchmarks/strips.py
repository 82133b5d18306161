"""A strip of patterns per system for the docs: 10, 20, ... 100 nm at one convergence angle, on and off the zone axis.

    make bench-strips                        # every system whose rocking table is there
    uv run python benchmarks/strips.py srtio3_300kv

Writes `docs/images/strip_<system>.png`.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from pacbed.config.plan import plan
from pacbed.config.system import SystemConfig, load_config
from pacbed.outputs import file_aside
from pacbed.patterns import Geometry
from pacbed.simulation.rendering.renderer import Renderer
from pacbed.simulation.table.rocking_table import RockingTable

CONVERGENCE_MRAD = {"beryl_300kv": 10.0}  # the others have 20 in their grid
THICKNESSES_NM = tuple(range(10, 101, 10))
MISTILT_MRAD = 4.0  # along +x, which is to the right
PIXELS = 240
SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


def strip(name: str, system: SystemConfig, table_dir: Path, out: Path) -> None:
    """Render and draw one system; thicknesses beyond its grid are left out."""
    needed, renderer = plan(system), Renderer(RockingTable.load(table_dir))
    thicknesses = [float(t) for t in THICKNESSES_NM if t <= needed.thickness_max_nm]
    convergence = min(CONVERGENCE_MRAD.get(name, 20.0), needed.alpha_max_mrad)
    mistilt = min(MISTILT_MRAD, needed.tau_max_mrad)
    # Half again the disk: the rims of the diffracted disks are in the picture.
    geometry = Geometry.field_of_view(PIXELS, min(1.5 * convergence, renderer.field_mrad - mistilt))
    rows = [
        renderer.render_series(thicknesses, convergence_mrad=convergence, geometry=geometry, mistilt_mrad=(tau, 0.0))
        for tau in (0.0, mistilt)
    ]
    facts = renderer.table.facts
    indices = [str(index) for index in facts["zone_axis"]]
    axis = ("" if all(len(index) == 1 for index in indices) else " ").join(indices)
    title = (
        f"{facts['formula'].translate(SUBSCRIPTS)} [{axis}], {system.beam.energy_kev:g} kV, semi-convergence angle "
        f"{convergence:g} mrad; linear contrast, black is zero and white the brightest pixel of a column"
    )
    draw(rows, thicknesses, ("on the zone axis", f"mistilt {mistilt:g} mrad"), geometry, title, out)


def draw(
    rows: list[np.ndarray],
    thicknesses: list[float],
    labels: tuple[str, ...],
    geometry: Geometry,
    title: str,
    out: Path,
) -> None:
    """Rows of patterns, shape (thickness, y, x) each, under titles in nm; one gray scale per column."""
    columns = len(thicknesses)
    figure = Figure(figsize=(1.15 * columns + 0.3, 1.12 * len(rows) + 0.5), layout="constrained")
    figure.get_layout_engine().set(w_pad=0.01, h_pad=0.01, wspace=0.01, hspace=0.01)
    axes = figure.subplots(len(rows), columns, squeeze=False)
    for column, thickness in enumerate(thicknesses):
        images = [row[column] for row in rows]
        brightest = max(image.max() for image in images)
        for axis, image in zip(axes[:, column], images, strict=True):
            axis.imshow(image, cmap="gray", vmin=0.0, vmax=brightest, interpolation="antialiased")
            axis.set(xticks=[], yticks=[])
            axis.spines[:].set_visible(False)
        axes[0, column].set_title(f"{thickness:g} nm", fontsize=9)
    for axis, label in zip(axes[:, 0], labels, strict=True):
        axis.set_ylabel(label, fontsize=8)
    _scale_bar(axes[-1, -1], geometry)
    figure.suptitle(title, fontsize=8)
    with file_aside(out) as aside:
        FigureCanvasAgg(figure).print_figure(aside, format="png", dpi=150)


def _scale_bar(axis, geometry: Geometry) -> None:
    """White bar of a round number of mrad, about a quarter of the picture long, in its lower right corner."""
    rows, columns = geometry.shape
    quarter = columns * geometry.pixel_mrad / 4
    length = max(value for value in (1, 2, 5, 10, 20, 50) if value <= quarter)
    right, bottom = 0.95 * columns, 0.93 * rows
    axis.plot([right - length / geometry.pixel_mrad, right], [bottom, bottom], color="white", linewidth=2)
    axis.text(right, 0.88 * rows, f"{length} mrad", color="white", fontsize=7, ha="right", va="bottom")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("systems", nargs="*", help="left out: all whose table is there")
    parser.add_argument("--results", type=Path, default=Path("results"), help="folder of the workflow")
    parser.add_argument("--out", type=Path, default=Path("docs/images"), help="folder of the pictures")
    options = parser.parse_args()
    there = sorted(path.stem for path in Path("config").glob("*.yaml") if path.stem != "demo")
    names = options.systems or [name for name in there if (options.results / name / "simulation" / "rocking").is_dir()]
    for name in names:
        system = load_config([Path("config") / f"{name}.yaml"]).systems[name]
        out = options.out / f"strip_{name}.png"
        strip(name, system, options.results / name / "simulation" / "rocking", out)
        print(out)


if __name__ == "__main__":
    main()
