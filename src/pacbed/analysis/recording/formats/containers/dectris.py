"""Dectris and Arina masters: frames in several files beside the master, joined by links inside its folder."""

from __future__ import annotations

from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from pacbed.analysis.recording.formats.containers.attributes import attribute_text
from pacbed.analysis.recording.formats.containers.links import follow_link
from pacbed.analysis.recording.guard.sizes import LARGEST_VALUES
from pacbed.analysis.recording.stored import Axis, StoredImage
from pacbed.errors import PatternError

FRAMES, DETECTOR = "entry/data", "entry/instrument/detector"
ENERGY, MASK = "entry/instrument/beam/incident_energy", f"{DETECTOR}/detectorSpecific/pixel_mask"
# What is less is X-rays, to which such detectors are set as delivered (8041 eV, copper); no pattern has such electrons.
LOWEST_EV = 20e3


class JoinedFrames:
    """Arrays of frames, one behind the other.

    Attributes
    ----------
    shape, dtype
        As for an array, (frame, y, x).
    parts : list of array-like
    """

    def __init__(self, parts: list[Any]) -> None:
        self.parts = parts
        self._starts = np.cumsum([0, *(len(part) for part in parts)])
        self.shape, self.dtype = (int(self._starts[-1]), *parts[0].shape[1:]), parts[0].dtype

    def __getitem__(self, key: Any) -> np.ndarray:
        """Frames by number or slice; further indices go to each frame."""
        first, *rest = key if isinstance(key, tuple) else (key,)
        if not isinstance(first, slice):
            return self[(slice(first, first + 1), *rest)][0]
        start, stop, step = first.indices(self.shape[0])
        pieces = [
            part[(slice(max(start - begin, 0), max(min(stop - begin, len(part)), 0)), *rest)]
            for part, begin in zip(self.parts, self._starts, strict=False)
            if begin < stop and begin + len(part) > start
        ]
        return np.concatenate(pieces)[::step] if pieces else np.empty((0, *self.shape[1:]), self.dtype)


def is_dectris(store: Any) -> bool:
    """Whether an open HDF5 file is a Dectris master: a detector is described, and its frames stand in one group.

    One array there may be any NeXus data as well: it is a series of frames without axes, or read as NeXus.
    """
    if not (FRAMES in store and DETECTOR in store and (names := frame_sets(store))):
        return False
    alone = store[FRAMES].get(names[0]) if names == ["data"] else None
    return alone is None or (getattr(alone, "ndim", 3) == 3 and "axes" not in {*store[FRAMES].attrs, *alone.attrs})


def frame_sets(store: Any) -> list[str]:
    """Names of the numbered arrays of frames, in their order; or the one array that older and newer masters have."""
    group = store[FRAMES]
    names = [name for name in group if name.startswith("data_") and name[5:].isdecimal()]
    return sorted(names, key=lambda name: int(name[5:])) or [name for name in group if name == "data"]


def open_dectris(store: Any, file: Path) -> StoredImage:
    """All frames of a master, shape (frame, y, x), with the beam energy and the pixels that the detector calls bad.

    Raises
    ------
    PatternError
        A file of frames is missing, or lies outside the master's folder.
    """
    parts = [_frames(store, name, file) for name in frame_sets(store)]
    if len({part.shape[1:] for part in parts}) > 1:
        raise PatternError(f"file: {file} joins frames of several sizes, accepted: one size")
    energy_ev = _energy_ev(store)
    metadata = {"Acquisition_instrument": {"TEM": {"beam_energy": energy_ev / 1e3}}} if energy_ev >= LOWEST_EV else {}
    axes = (Axis("frame", scan=True), Axis(scan=False), Axis(scan=False))
    return StoredImage(JoinedFrames(parts), axes, FRAMES, "", metadata, bad=_bad_pixels(store, parts[0].shape[1:]))


def _energy_ev(store: Any) -> float:
    """Energy that a master states [eV], in eV where it gives no unit; 0 where it states none."""
    found = store.get(ENERGY)
    if getattr(found, "size", 0) != 1:
        return 0.0
    unit = attribute_text(found.attrs.get("units", "")).strip().lower()
    return float(found[...].item()) * (1e3 if unit == "kev" else 1.0)


def _bad_pixels(store: Any, shape: tuple[int, int]) -> np.ndarray | None:
    """Pixels that the detector calls bad; None where there are none, or the mask is not one of these frames."""
    if MASK not in store or store[MASK].shape != shape or prod(shape) > LARGEST_VALUES:
        return None
    mask = np.asarray(store[MASK][()]) != 0
    return mask if mask.any() else None


def _frames(store: Any, name: str, file: Path) -> Any:
    """One array of frames; where a link leads is looked at before it is followed."""
    frames = follow_link(store[FRAMES], name, file)
    if getattr(frames, "ndim", 0) != 3:
        raise PatternError(f"file: {name} of {file} is no array of frames, accepted: shape (frame, y, x)")
    return frames
