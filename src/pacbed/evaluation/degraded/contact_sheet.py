"""Pictures of failures, many on a page: what was recorded, and what was answered."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import imageio.v3 as iio
import numpy as np
from matplotlib.figure import Figure

from pacbed.evaluation.degraded.figures import Judged
from pacbed.figures import save_figure

COLUMNS = 6
TITLE_COLUMNS = 3  # as wide as a title needs
EDGE_INCH = 2.2


class Shown(NamedTuple):
    """A failure and its file."""

    answer: Judged
    file: Path


def draw_contact_sheet(failures: Sequence[Shown], out_png: str | Path, *, title: str) -> None:
    """Draw the recorded pictures of failures with truth and answer above each.

    Parameters
    ----------
    failures : sequence of Shown
        At least one.
    out_png : path
    title : str
    """
    columns = min(COLUMNS, max(TITLE_COLUMNS, len(failures)))
    rows = -(-len(failures) // columns)
    figure = Figure(figsize=(columns * EDGE_INCH, rows * (EDGE_INCH + 0.55) + 0.4), layout="constrained")
    figure.suptitle(title)
    axes = np.atleast_1d(figure.subplots(rows, columns, squeeze=False)).ravel()
    for ax in axes:
        ax.set_axis_off()
    for ax, shown in zip(axes, failures, strict=False):
        picture = np.asarray(iio.imread(shown.file)).astype(float)
        low, high = np.percentile(picture, [1, 99.5])
        ax.imshow(picture, cmap="gray", vmin=low, vmax=max(high, low + 1e-9))
        ax.set_title(caption(shown.answer), fontsize=7)
    save_figure(figure, out_png)


def caption(answer: Judged) -> str:
    """Kind, truth, answer and verdict in three short lines."""
    row, found = answer.row, answer.found
    value = "none" if found.thickness_nm is None else f"{found.thickness_nm:.1f}"
    spread = "" if found.std_nm is None else f" ± {found.std_nm:.1f}"
    misfit = "" if found.misfit is None else f", misfit {found.misfit:.2f}"
    return (
        f"{row.number} {row.kind}, {row.electrons:.0e} e\n"
        f"true {row.thickness_nm:.1f}, found {value}{spread} nm\n{found.verdict}{misfit}"
    )
