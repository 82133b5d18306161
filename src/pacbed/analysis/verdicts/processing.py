"""What speaks against a result because somebody worked on the picture after it was counted."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import numpy as np

from pacbed.analysis.picture.examine import Picture
from pacbed.analysis.verdicts.findings import Findings, Severity

DISK_RADII, DARK_RADII = 0.85, 1.5  # within, and beyond, so many radii of the bright region noise is compared
NOISE_PIXELS = 300  # of either, at least
MOST_DARK_NOISE = 1.4  # over that of the disk; 1 at most where grey levels are counts, 1.33 for their square root
TURNS = {
    "turned by 180°": lambda image: image[::-1, ::-1],
    "turned by 90°": lambda image: np.rot90(image),
    "mirrored": lambda image: image[::-1],
    "mirrored left to right": lambda image: image[:, ::-1],
}
LEAST_HALF_PX, MOST_HALF_PX = 8, 24  # half the edge of what is turned: smaller tells little, larger takes longer
HALF_PIXELS = 3  # by which the centre of a symmetry may lie off that of the bright region
LEAST_DIFFERENCE = 0.5  # between a picture and itself turned, over what noise makes: 1 or more in a recording
ROUNDING = 0.6  # standard deviation of noise that whole numbers do not make by being whole [levels]


def judge_processing(findings: Findings, picture: Picture) -> None:
    """Whether grey levels can be counts, and whether they were averaged over a symmetry.

    Parameters
    ----------
    findings : Findings
        Receives the reasons.
    picture : Picture
    """
    ratio = dark_noise(picture)
    if ratio > MOST_DARK_NOISE:
        findings.add(
            Severity.DOUBT,
            f"noise is {ratio:.1f} times as strong beside the disk as in it: grey levels are no counts (an equalised "
            "histogram, a logarithm, a dark field made brighter)",
        )
    if turned := own_symmetry(picture):
        findings.add(
            Severity.DOUBT,
            f"the picture {turned} is itself, noise included: it was averaged over a symmetry that a tilted crystal, "
            "or another centre, does not have",
        )


def dark_noise(picture: Picture) -> float:
    """Noise beside the disk over that in it; 0 where there is too little of either to tell.

    Noise is the spread of mixed second differences, from its 5th to its 95th percentile, which fringes add to. Counts
    make it smaller beside the disk, a camera's readout equal at most.

    Parameters
    ----------
    picture : Picture
    """
    array, used, outline = picture.array, picture.used, picture.outline
    cross = _mixed_difference(array)
    whole = used[1:, 1:] & used[1:, :-1] & used[:-1, 1:] & used[:-1, :-1]
    row, column = np.ogrid[: cross.shape[0], : cross.shape[1]]
    distance = np.hypot(column + 0.5 - outline.center_px[0], row + 0.5 - outline.center_px[1]) / outline.radius_px
    disk, dark = cross[whole & (distance < DISK_RADII)], cross[whole & (distance > DARK_RADII)]
    if min(len(disk), len(dark)) < NOISE_PIXELS:
        return 0.0
    low, high = np.percentile(disk, [5, 95])
    least, most = np.percentile(dark, [5, 95])
    return float((most - least) / (high - low)) if high > low else 0.0


def own_symmetry(picture: Picture) -> str:
    """By which symmetry a picture is itself, though its pixels are noisy; empty where by none, or without noise.

    Noise of single pixels makes mixed second differences of neighbours opposite, by half; what is smooth makes them
    alike, and does not count.

    Parameters
    ----------
    picture : Picture
    """
    for cut in _squares(picture):
        cross = _mixed_difference(cut)
        variance = -float(np.mean(cross[:, 1:] * cross[:, :-1]) + np.mean(cross[1:] * cross[:-1])) / 4
        least = ROUNDING if np.array_equal(cut, np.round(cut)) else 0.0
        if not variance > max(least**2, 1e-12 * float(np.ptp(cut)) ** 2):
            continue
        for name, turn in TURNS.items():
            if np.mean((cut - turn(cut)) ** 2) < LEAST_DIFFERENCE**2 * 2 * variance:
                return name
    return ""


def _squares(picture: Picture) -> Iterator[np.ndarray]:
    """Squares within the bright region about every half pixel near its middle, float64, shape (y, x)."""
    array, (x, y) = picture.array.astype(np.float64), picture.outline.center_px
    half = min(MOST_HALF_PX, int(picture.outline.radius_px / np.sqrt(2)))
    if half < LEAST_HALF_PX:
        return
    for down, across in product(range(-HALF_PIXELS, HALF_PIXELS + 1), repeat=2):
        middle = [round(2 * y) + down, round(2 * x) + across]  # half pixels
        if (middle[0] - middle[1]) % 2:  # such squares cannot be turned by 90°
            continue
        size = half * 2 + (1 - middle[0] % 2)
        first = [(place - size + 1) // 2 for place in middle]
        window = tuple(slice(start, start + size) for start in first)
        if min(first) >= 0 and all(part.stop <= n for part, n in zip(window, array.shape, strict=True)):
            yield array[window]


def _mixed_difference(array: np.ndarray) -> np.ndarray:
    return np.asarray(array[1:, 1:] - array[1:, :-1] - array[:-1, 1:] + array[:-1, :-1])
