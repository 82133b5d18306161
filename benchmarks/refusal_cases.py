"""Inputs that are bad or misleading: pictures of known truth, pictures that are no pattern, files and commands.

Pictures are recorded as by `experiment.py`, from its specimens of displaced atoms; every kind is as strong as the
issue that it stands for, and not drawn.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import numpy as np
import tifffile
from PIL import Image
from scipy import ndimage

from pacbed.analysis.options import PredictOptions
from pacbed.evaluation.degraded.optics import Area
from pacbed.evaluation.degraded.recording import record
from pacbed.evaluation.degraded.settings import Blur, Degradation, File, Light, Spot, View
from pacbed.evaluation.degraded.specimens import DEPTHS, SINGLE, TILTS

PICTURE, NOTHING, FILE = "a pattern", "no pattern", "a file or a command"
THICKNESSES_NM = (25.0, 9.5)
# What every picture has: it is no clean simulation.
USUAL = Degradation(
    View(pixels=160, radius_px=36.0, rotation_deg=23.0, shift=(0.03, -0.02), ellipse=(0.006, 0.004)),
    Blur(gaussian_mrad=0.5),
    Light(electrons=1e6, shading=(0.02, -0.01, -0.02)),
    File(brightest=0.4, offset=0.02, readout=0.003),
)


class Case(NamedTuple):
    """An input.

    Attributes
    ----------
    family : str
        `PICTURE`, `NOTHING` or `FILE`.
    kind : str
    path : Path
    options : PredictOptions
    truth_nm : float or None
    command : str
        "predict" or "map".
    readable : bool
        A file that has to be read, and rightly.
    """

    family: str
    kind: str
    path: Path
    options: PredictOptions
    truth_nm: float | None = None
    command: str = "predict"
    readable: bool = False


@dataclass(frozen=True)
class Picture:
    """A kind of picture.

    Attributes
    ----------
    name : str
    how : Degradation
    specimen : str
        Kind of specimen.
    after : callable or None
        Takes and returns the recorded counts, shape (y, x).
    told : dict
        Further options of the prediction; ``pixel`` is relative to the truth.
    """

    name: str
    how: Degradation = USUAL
    specimen: str = SINGLE
    after: Callable[[np.ndarray], np.ndarray] | None = None
    told: dict[str, Any] = field(default_factory=dict)


def _with(**parts: Any) -> Degradation:
    """The usual picture with fields of its stages changed: ``light={"vacuum": 0.3}``."""
    return replace(USUAL, **{stage: replace(getattr(USUAL, stage), **values) for stage, values in parts.items()})


def _column(counts: np.ndarray) -> np.ndarray:
    counts = counts.copy()
    counts[:, 90] = 65535
    return counts


def _cross(counts: np.ndarray) -> np.ndarray:
    counts = counts.copy()
    counts[78:82], counts[:, 78:82] = 0, 0
    return counts


def _padded(counts: np.ndarray) -> np.ndarray:
    return np.pad(counts, 48)


def _beam_stop(counts: np.ndarray) -> np.ndarray:
    counts = counts.copy()
    counts[70:88, :84] = 0
    return counts


def _negative(counts: np.ndarray) -> np.ndarray:
    return counts.max() - counts


def _smooth(counts: np.ndarray) -> np.ndarray:
    """Contrast stretched: what a display shows, dark parts cut off."""
    low, high = np.percentile(counts, [60, 98])
    return (255 * np.clip((counts - low) / (high - low), 0, 1)).astype(np.uint8)


def _sharpened(counts: np.ndarray) -> np.ndarray:
    """An unsharp mask."""
    values = counts.astype(np.float32)
    return np.clip(2 * values - ndimage.gaussian_filter(values, 2.0), 0, None)


def _with_ring(counts: np.ndarray) -> np.ndarray:
    """Light in a ring about the middle, of an eighth of the disk's level."""
    (y, x), (row, column) = ndimage.center_of_mass(counts), np.indices(counts.shape)
    ring = np.exp(-0.5 * ((np.hypot(row - y, column - x) - 18.0) / 5.0) ** 2)
    return counts + np.random.default_rng(1).poisson(0.12 * np.percentile(counts, 95) * ring)


def _equalised(counts: np.ndarray) -> np.ndarray:
    """Every grey level as often as any other."""
    order = counts.ravel().argsort(kind="stable").argsort()
    return (255 * order / order.max()).astype(np.uint8).reshape(counts.shape)


def _folded(counts: np.ndarray) -> np.ndarray:
    """The mean of a picture and its mirror image."""
    return (counts.astype(np.float32) + counts[:, ::-1]) / 2


PICTURES = (
    Picture("as usual"),
    Picture("bright cluster, 4 x 4 pixels", _with(file={"spots": (Spot((0.3, 0.65), None, edge_px=4),)})),
    Picture("bright cluster, 6 x 6 pixels", _with(file={"spots": (Spot((0.15, 0.2), None, edge_px=6),)})),
    Picture("one column at the end of the range", after=_column),
    Picture("bright stray spot", _with(file={"spots": (Spot((0.85, 0.15), 10.0, sigma_px=3),), "brightest": 0.06})),
    Picture("disk of 4 pixels' radius", _with(view={"pixels": 40, "radius_px": 4.0})),
    Picture("12 bits clipped, 15 % of the pixels", _with(view={"radius_px": 50.0}, file={"clipped": 0.15})),
    Picture("JPEG with gamma 0.5", _with(file={"gamma": 0.5})),
    Picture("contrast stretched, 8 bits", after=_smooth),
    Picture("negative", after=_negative),
    Picture("30 % vacuum", _with(light={"vacuum": 0.3})),
    Picture("40 % vacuum", _with(light={"vacuum": 0.4})),
    Picture("spread of tilts", specimen=TILTS),
    Picture("spread of thicknesses", specimen=DEPTHS),
    Picture("camera tail, 30 %", _with(blur={"tail_share": 0.3, "tail_px": 8.0})),
    Picture("unfiltered, 1.5 mean free paths", _with(blur={"plasmons": 1.5})),
    Picture("shading of 20 %", _with(light={"shading": (0.1, 0.05, -0.1)})),
    Picture("ellipse of 3 %", _with(view={"ellipse": (0.012, -0.009)})),
    Picture("15 % off centre", _with(view={"shift": (0.15, 0.05), "radius_px": 34.0})),
    Picture("frame padded with zeros", after=_padded),
    Picture("cross of 4 dead pixels", after=_cross),
    Picture("beam stop, not told", after=_beam_stop),
    Picture("1,000 electrons", _with(light={"electrons": 1e3})),
    Picture("60 electrons", _with(light={"electrons": 60.0})),
    Picture("angle wrong by 0.5 mrad", _with(told={"convergence_error_mrad": 0.5})),
    Picture("pixel size wrong by 30 %", told={"pixel": 1.3}),
    Picture("pixel size wrong by 100 times", told={"pixel": 100.0}),
    Picture("energy of 300 kV told", told={"energy_kev": 300.0}),
    Picture("sharpened", after=_sharpened),
    Picture("a ring of light", after=_with_ring),
    Picture("equalised", after=_equalised),
    Picture("averaged over a mirror", after=_folded),
)


def picture_cases(areas: list[Area], folder: Path, depth_nm: float) -> Iterator[Case]:
    """Every kind of picture at about a thickness [nm], written into a folder."""
    for number, kind in enumerate(PICTURES):
        there = [area for area in areas if area.kind == kind.specimen]  # type: ignore[attr-defined]
        area = min(there, key=lambda area: abs(area.mean.thickness_nm - depth_nm))
        made = record(area, kind.how, folder / f"{number:02}", rng=np.random.default_rng([number, round(depth_nm)]))
        if kind.after is not None:
            tifffile.imwrite(made.file, kind.after(tifffile.imread(made.file)))
        told = {key: value for key, value in kind.told.items() if key != "pixel"}
        if "pixel" in kind.told:
            told["pixel_mrad"] = kind.told["pixel"] * made.truth.pixel_mrad
        options = PredictOptions(convergence_mrad=made.given_mrad, **told)
        yield Case(PICTURE, kind.name, made.file, options, area.mean.thickness_nm)


def nothing_cases(folder: Path, convergence_mrad: float) -> Iterator[Case]:
    """Pictures that are no pattern of any crystal."""
    rng = np.random.default_rng(5)
    row, column = np.indices((160, 160)) - 80.0
    radius = np.hypot(row, column)
    disk = 400.0 * (radius < 36)
    pictures = {
        "dark frame": rng.normal(100, 3, radius.shape).clip(0),
        "counts alike everywhere": rng.poisson(20, radius.shape),
        "one value everywhere": np.full(radius.shape, 7),
        "vacuum: a flat disk": rng.poisson(disk + 2),
        "amorphous: a disk in a halo": rng.poisson(disk * 0.5 + 300 * np.exp(-0.5 * (radius / 50) ** 2)),
        "Ronchigram-like noise": rng.poisson(_speckle(rng, radius.shape) * disk),
        "parallel beam: sharp spots": rng.poisson(2 + 3000 * _spots(row, column)),
        "rings of a powder": rng.poisson(20 + 300 * np.exp(-0.5 * (((radius % 22) - 11) / 2) ** 2)),
        "Kikuchi lines without a disk": rng.poisson(200 + 60 * np.sin(0.3 * row + 0.1 * column)),
        "a ramp": rng.poisson(200 + row + column),
        "half without a value": np.where(column < 6, np.nan, rng.poisson(disk + 2.0)),
    }
    for name, picture in pictures.items():
        file = folder / f"{len(list(folder.iterdir())):02}.tif"
        tifffile.imwrite(file, picture.astype(np.float32))
        yield Case(NOTHING, name, file, PredictOptions(convergence_mrad=convergence_mrad))


def _speckle(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    waves = np.fft.fft2(rng.normal(size=shape))
    cut = np.hypot(*np.meshgrid(np.fft.fftfreq(shape[1]), np.fft.fftfreq(shape[0])))
    smooth = np.fft.ifft2(waves * np.exp(-0.5 * (cut / 0.05) ** 2)).real
    return np.clip(1 + 0.6 * smooth / smooth.std(), 0, None)


def _spots(row: np.ndarray, column: np.ndarray) -> np.ndarray:
    near = np.hypot((row + 12) % 24 - 12, (column + 12) % 24 - 12)
    return np.exp(-0.5 * (near / 1.5) ** 2) * np.exp(-0.5 * (np.hypot(row, column) / 30) ** 2)


def file_cases(good: Case, folder: Path) -> Iterator[Case]:
    """Files and commands that cannot be answered, and some that only look so, made of a good picture."""
    counts = tifffile.imread(good.path)
    grey = (counts // (counts.max() // 256 + 1)).astype(np.uint8)
    for name, make in FILES.items():
        inside = folder / f"{len(list(folder.iterdir())):02}"
        inside.mkdir()
        readable = name in READABLE
        options = replace(good.options, **OPTIONS.get(name, {}))
        if name == "vacuum pattern saturated":
            tifffile.imwrite(inside / "vacuum.tif", np.minimum(counts, counts.max() // 3))
            options = replace(options, vacuum=inside / "vacuum.tif")
        command = "map" if name.endswith("to map") else "predict"
        yield Case(FILE, name, make(inside, counts, grey), options, good.truth_nm, command, readable)


def _saved(name: str, mode: str | None = None, **options: Any) -> Callable[..., Path]:
    def make(folder: Path, counts: np.ndarray, grey: np.ndarray) -> Path:
        picture = Image.fromarray(grey)
        (picture if mode is None else picture.convert("RGB").convert(mode)).save(folder / name, **options)
        return folder / name

    return make


def _written(name: str, change: Callable[[np.ndarray], Any]) -> Callable[..., Path]:
    def make(folder: Path, counts: np.ndarray, grey: np.ndarray) -> Path:
        content = change(counts)
        if isinstance(content, bytes):
            (folder / name).write_bytes(content)
        elif name.endswith(".npy"):
            np.save(folder / name, content)
        else:
            tifffile.imwrite(folder / name, content, photometric="minisblack")
        return folder / name

    return make


def _palette(folder: Path, counts: np.ndarray, grey: np.ndarray) -> Path:
    """Grey levels behind shuffled numbers."""
    order = np.random.default_rng(1).permutation(256).astype(np.uint8)
    picture = Image.fromarray(np.argsort(order)[grey].astype(np.uint8)).convert("P")
    picture.putpalette(np.repeat(order[:, None], 3, axis=1).ravel().tolist())
    picture.save(folder / "a.gif", optimize=False)
    return folder / "a.gif"


def _colour_map(folder: Path, counts: np.ndarray, grey: np.ndarray) -> Path:
    Image.fromarray(np.stack([grey, 255 - grey, grey // 2], axis=-1)).save(folder / "a.png")
    return folder / "a.png"


def _truncated(folder: Path, counts: np.ndarray, grey: np.ndarray) -> Path:
    tifffile.imwrite(folder / "a.tif", counts)
    (folder / "a.tif").write_bytes((folder / "a.tif").read_bytes()[: counts.nbytes // 2])
    return folder / "a.tif"


def _link(folder: Path, counts: np.ndarray, grey: np.ndarray) -> Path:
    with h5py.File(folder.parent / "elsewhere.h5", "w") as store:
        store["film"] = counts
    with h5py.File(folder / "a.h5", "w") as store:
        store["film"] = h5py.ExternalLink("../elsewhere.h5", "/film")
    return folder / "a.h5"


def _storage(folder: Path, counts: np.ndarray, grey: np.ndarray) -> Path:
    with h5py.File(folder / "a.h5", "w") as store:
        store.create_dataset("film", (64, 64), "u1", external=[("/etc/hostname", 0, h5py.h5f.UNLIMITED)])
    return folder / "a.h5"


def _virtual(folder: Path, counts: np.ndarray, grey: np.ndarray) -> Path:
    layout = h5py.VirtualLayout(counts.shape, counts.dtype)
    layout[:] = h5py.VirtualSource("../elsewhere.h5", "film", counts.shape)
    with h5py.File(folder / "a.h5", "w") as store:
        store.create_virtual_dataset("film", layout)
    return folder / "a.h5"


def _huge(folder: Path, counts: np.ndarray, grey: np.ndarray) -> Path:
    with h5py.File(folder / "a.h5", "w") as store:
        store.create_dataset("film", shape=(120000, 120000), dtype="u2", chunks=(1000, 1000))
    return folder / "a.h5"


def _folder(folder: Path, counts: np.ndarray, grey: np.ndarray) -> Path:
    return folder


FILES: dict[str, Callable[..., Path]] = {
    "palette, grey levels shuffled": _palette,
    "RGB of three equal channels": _saved("a.png", "RGB"),
    "PNG that is called .tif": _saved("a.tif", format="PNG"),
    "CMYK": _saved("a.jpg", "CMYK"),
    "a colour map": _colour_map,
    "two channels": _written("a.tif", lambda counts: np.stack([counts, counts[::-1]], axis=-1)),
    "complex numbers": _written("a.npy", lambda counts: counts * 1j),
    "text": _written("a.tif", lambda counts: b"Dear colleague, the pattern is attached.\n" * 40),
    "an empty file": _written("a.tif", lambda counts: b""),
    "truncated": _truncated,
    "a folder": _folder,
    "link out of the folder": _link,
    "external storage": _storage,
    "virtual data from elsewhere": _virtual,
    "29 GB declared in a kilobyte": _huge,
    "4D to predict": _written("a.npy", lambda counts: np.broadcast_to(counts, (2, 3, *counts.shape))),
    "2D to map": _written("a.npy", lambda counts: counts),
    "a frame that is not there": _written("a.npy", lambda counts: np.stack([counts, counts])),
    "no convergence angle": _written("a.npy", lambda counts: counts),
    "an angle of 60 mrad": _written("a.npy", lambda counts: counts),
    "a pixel of -1 mrad": _written("a.npy", lambda counts: counts),
    "a mask of another shape": _written("a.npy", lambda counts: counts),
    "refined from 500 nm": _written("a.npy", lambda counts: counts),
    "vacuum pattern saturated": _written("a.npy", lambda counts: counts),
}
READABLE = {"palette, grey levels shuffled", "RGB of three equal channels", "PNG that is called .tif"}
OPTIONS: dict[str, dict[str, Any]] = {
    "a frame that is not there": {"frame": (5,)},
    "no convergence angle": {"convergence_mrad": None},
    "an angle of 60 mrad": {"convergence_mrad": 60.0},
    "a pixel of -1 mrad": {"pixel_mrad": -1.0},
    "a mask of another shape": {"mask": np.zeros((20, 20), bool)},
    "refined from 500 nm": {"refine_from_nm": (500.0,)},
}
