"""What happens to pictures, by name: things that mislead a fit, each drawn within what is met in practice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from pacbed.evaluation.degraded.settings import Blur, Degradation, File, Light, Spot, Told, View, Wave
from pacbed.evaluation.degraded.specimens import DEPTHS, SINGLE, TILTS

Change = Callable[[Degradation, np.random.Generator], Degradation]


@dataclass(frozen=True)
class Kind:
    """One thing that may have happened.

    Attributes
    ----------
    name : str
    change : callable
        Takes a degradation and a generator, returns the degradation with this on top.
    specimen : str
        Which kind of specimen it needs.
    """

    name: str
    change: Change
    specimen: str = SINGLE


def ordinary(rng: np.random.Generator) -> Degradation:
    """What every picture has: noise, offset, rotation, blur, an ellipse, shading, a diffuse part of another shape."""
    lens, azimuth = rng.uniform(0.0, 0.015), rng.uniform(0, 2 * np.pi)
    waves = tuple(Wave.drawn(float(rng.uniform(0.0, 0.2)), 0.5, rng) for _ in range(2))
    pixels = int(rng.integers(128, 225))
    return Degradation(
        View(
            pixels=pixels,
            radius_px=pixels * float(rng.uniform(0.18, 0.28)),
            rotation_deg=float(rng.uniform(-180, 180)),
            shift=_pair(rng.uniform(-0.06, 0.06, 2)),
            ellipse=_pair(lens * np.array([np.cos(azimuth), np.sin(azimuth)])),
        ),
        Blur(
            gaussian_mrad=float(rng.uniform(0.3, 0.9)),
            plasmons=float(rng.uniform(0.0, 0.6)) if rng.random() < 0.5 else 0.0,
        ),
        Light(
            electrons=float(10 ** rng.uniform(4, 7)),
            shading=(float(rng.uniform(-0.05, 0.05)), float(rng.uniform(-0.05, 0.05)), float(rng.uniform(-0.05, 0))),
            diffuse=float(rng.uniform(0.7, 1.3)),
            waves=waves,
        ),
        File(
            brightest=float(rng.uniform(0.05, 0.9)),
            offset=float(rng.uniform(0.0, 0.1)),
            readout=float(rng.uniform(0.0, 0.01)),
        ),
        Told(
            convergence_error_mrad=float(np.clip(rng.normal(0.0, 0.1), -0.3, 0.3)),
            pixel_error=float(np.clip(rng.normal(0.0, 0.015), -0.03, 0.03)) if rng.random() < 0.3 else None,
        ),
    )


def hot_cluster(how: Degradation, rng: np.random.Generator) -> Degradation:
    """Squares of 3 to 6 pixels at the end of the range."""
    spots = tuple(
        Spot(_place(rng), None if rng.random() < 0.7 else float(rng.uniform(2, 20)), edge_px=int(edge))
        for edge in rng.integers(3, 7, rng.integers(1, 3))
    )
    return replace(how, file=replace(how.file, spots=spots, brightest=min(how.file.brightest, 0.5)))


def stray_spot(how: Degradation, rng: np.random.Generator) -> Degradation:
    """A round spot of some pixels, brighter than the disk."""
    spot = Spot(_place(rng), float(rng.uniform(2, 15)), sigma_px=float(rng.uniform(2, 4)))
    return replace(how, file=replace(how.file, spots=(spot,), brightest=min(how.file.brightest, 0.06)))


def few_pixels(how: Degradation, rng: np.random.Generator) -> Degradation:
    """A disk of 3 to 6 pixels in radius."""
    view = replace(how.view, pixels=int(rng.integers(32, 49)), radius_px=float(rng.uniform(3, 6)))
    return replace(how, view=view)


def clipped(how: Degradation, rng: np.random.Generator) -> Degradation:
    """A camera of 12 bits in a file of 16, 5 to 40 % of its pixels beyond the end."""
    frame = replace(how.view, radius_px=0.33 * how.view.pixels)  # so that such shares lie inside the disk
    return replace(how, view=frame, file=replace(how.file, clipped=float(rng.uniform(0.05, 0.4))))


def jpeg(how: Degradation, rng: np.random.Generator) -> Degradation:
    """A JPEG of 8 bits whose grey levels are brightness to a power below 1."""
    return replace(how, file=replace(how.file, gamma=float(rng.uniform(0.5, 0.9))))


def plain_jpeg(how: Degradation, rng: np.random.Generator) -> Degradation:
    """A JPEG of 8 bits with linear grey levels."""
    return replace(how, file=replace(how.file, gamma=1.0))


def vacuum(how: Degradation, rng: np.random.Generator) -> Degradation:
    """5 to 40 % of the averaged area lie beside the specimen."""
    return replace(how, light=replace(how.light, vacuum=float(rng.uniform(0.05, 0.4))))


def as_it_is(how: Degradation, rng: np.random.Generator) -> Degradation:
    """Nothing on top: the specimen itself is what is special."""
    return how


def camera_tail(how: Degradation, rng: np.random.Generator) -> Degradation:
    """A scintillator that spreads 5 to 30 % of its signal."""
    blur = replace(how.blur, tail_share=float(rng.uniform(0.05, 0.3)), tail_px=float(rng.uniform(3, 12)))
    return replace(how, blur=blur)


def plasmon_tail(how: Degradation, rng: np.random.Generator) -> Degradation:
    """Unfiltered, and as thick as 0.6 to 1.5 mean free paths."""
    return replace(how, blur=replace(how.blur, plasmons=float(rng.uniform(0.6, 1.5))))


def strong_shading(how: Degradation, rng: np.random.Generator) -> Degradation:
    """A sensitivity that differs by 10 to 20 % across the frame, and diffuse scattering far from the simulated one."""
    azimuth, slope = rng.uniform(0, 2 * np.pi), rng.uniform(0.05, 0.1)
    right, down = slope * np.cos(azimuth), slope * np.sin(azimuth)
    waves = (Wave.drawn(0.35, 0.7, rng),)
    light = replace(how.light, shading=(float(right), float(down), float(rng.uniform(-0.1, 0))), waves=waves)
    return replace(how, light=light)


def few_electrons(how: Degradation, rng: np.random.Generator) -> Degradation:
    """1e3 to 2e4 electrons: a window of a scan."""
    return replace(how, light=replace(how.light, electrons=float(10 ** rng.uniform(3, 4.3))))


def off_centre(how: Degradation, rng: np.random.Generator) -> Degradation:
    """The disk 15 % of the frame's edge off its middle."""
    azimuth = rng.uniform(0, 2 * np.pi)
    shift = _pair(0.15 * np.array([np.cos(azimuth), np.sin(azimuth)]))
    return replace(how, view=replace(how.view, shift=shift, radius_px=0.22 * how.view.pixels))


def wrong_pixel(how: Degradation, rng: np.random.Generator) -> Degradation:
    """The pixel size that is said is 30 % wrong."""
    return replace(how, told=replace(how.told, pixel_error=float(rng.choice([-0.3, 0.3]))))


def wrong_angle(how: Degradation, rng: np.random.Generator) -> Degradation:
    """The convergence angle that is said is 0.3 to 0.5 mrad wrong."""
    error = float(rng.uniform(0.3, 0.5) * rng.choice([-1, 1]))
    return replace(how, told=replace(how.told, convergence_error_mrad=error))


KINDS = (
    Kind("hot cluster", hot_cluster),
    Kind("stray spot", stray_spot),
    Kind("few pixels", few_pixels),
    Kind("clipped 12 bit", clipped),
    Kind("JPEG with gamma", jpeg),
    Kind("vacuum", vacuum),
    Kind("tilt spread", as_it_is, TILTS),
    Kind("thickness spread", as_it_is, DEPTHS),
    Kind("JPEG", plain_jpeg),
    Kind("camera tail", camera_tail),
    Kind("plasmon tail", plasmon_tail),
    Kind("shading", strong_shading),
    Kind("off centre", off_centre),
    Kind("wrong pixel", wrong_pixel),
    Kind("wrong angle", wrong_angle),
    Kind("few electrons", few_electrons),
)


def _place(rng: np.random.Generator) -> tuple[float, float]:
    return _pair(rng.uniform(0.05, 0.95, 2))


def _pair(values: np.ndarray) -> tuple[float, float]:
    return float(values[0]), float(values[1])
