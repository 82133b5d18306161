"""What goes to a worker process and what comes back; plain values that can be pickled."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

PID = "pid"  # file in a job's folder, by which the process at work on it is known


class RawFrame(NamedTuple):
    """How bytes without a header are a pattern.

    Attributes
    ----------
    dtype : str
        Type of a pixel, in the byte order of the machine.
    height, width : int
        Rows and columns, in C order.
    """

    dtype: str
    height: int
    width: int


@dataclass(frozen=True)
class Job:
    """A pattern and what is asked of it.

    Attributes
    ----------
    folder : pathlib.Path
        Folder of this job alone; what the worker makes goes there.
    file : pathlib.Path
        The upload, in a folder of its own below it.
    name : str
        What the sender calls it.
    bundle : pathlib.Path
        The ``.pacbed`` file.
    options : dict
        Fields of `pacbed.analysis.options.PredictOptions`.
    raw : RawFrame or None
        For bytes without a header.
    kept : pathlib.Path
        Where results lie by identity; one that is there is not computed again.
    sheet : bool
        Draw the sheet as well.
    bundle_sha256 : str
        Hash of the bundle that is meant; empty where any is.
    """

    folder: Path
    file: Path
    name: str
    bundle: Path
    kept: Path
    options: dict[str, Any] = field(default_factory=dict)
    raw: RawFrame | None = None
    sheet: bool = False
    bundle_sha256: str = ""


@dataclass(frozen=True)
class Done:
    """What became of a job.

    Attributes
    ----------
    identity : str
        Of the look-up; empty where there is none.
    known : bool
        It was there before.
    trouble : str
        Why the pattern or an option cannot be used, one line; empty if there is a result.
    """

    identity: str = ""
    known: bool = False
    trouble: str = ""


class View(NamedTuple):
    """A rendered pattern that is asked for.

    Attributes
    ----------
    thickness_nm, convergence_mrad, mistilt_mrad, azimuth_deg : float
        Thickness [nm], semi-convergence angle and mistilt [mrad], direction of the mistilt [deg].
    pixels : int or None
        Edge of the image.
    max_angle_mrad : float or None
        Half width of the field of view [mrad].
    """

    thickness_nm: float
    convergence_mrad: float
    mistilt_mrad: float = 0.0
    azimuth_deg: float = 0.0
    pixels: int | None = None
    max_angle_mrad: float | None = None
