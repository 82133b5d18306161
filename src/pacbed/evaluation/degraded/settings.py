"""How a pattern is degraded: every number of it, neutral where nothing is said, and kept with its pattern."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple

import numpy as np
from pydantic import TypeAdapter, ValidationError

from pacbed.errors import FormatError


@dataclass(frozen=True)
class View:
    """Where the pattern lies on the camera.

    Attributes
    ----------
    pixels : int
        Edge of the camera's frame.
    radius_px : float
        Radius of the undiffracted disk [pixels].
    rotation_deg : float
        Azimuth at which the crystal's +x appears [deg].
    shift : tuple of float
        Optic axis (x, y) off the middle of the frame, over its edge [1].
    ellipse : tuple of float
        Elliptical distortion of the image, a hundredth of that of `pacbed.patterns.Geometry`; the axis ratio is 1 plus
        twice its length [1].
    """

    pixels: int = 192
    radius_px: float = 45.0
    rotation_deg: float = 0.0
    shift: tuple[float, float] = (0.0, 0.0)
    ellipse: tuple[float, float] = (0.0, 0.0)


@dataclass(frozen=True)
class Blur:
    """What smears a pattern.

    Attributes
    ----------
    gaussian_mrad : float
        Standard deviation; no less than the specimen's own [mrad].
    plasmons : float
        Thickness over the mean free path of the plasmons that no filter removed [1].
    tail_share, tail_px : float
        Share of a pixel's signal in the exponential tail of the camera's response [1], and its length [pixels].
    """

    gaussian_mrad: float = 0.4
    plasmons: float = 0.0
    tail_share: float = 0.0
    tail_px: float = 5.0


class Wave(NamedTuple):
    """One error of the diffuse shape: a factor ``1 + amplitude cos(2 pi (x kx + y ky) + phase)``.

    Attributes
    ----------
    amplitude : float
        Relative [1].
    x, y : float
        Wave vector [periods per diameter of the disk].
    phase : float
        At the zone axis [rad].
    """

    amplitude: float
    x: float
    y: float
    phase: float

    @classmethod
    def drawn(cls, amplitude: float, spread: float, rng: np.random.Generator) -> Wave:
        """A wave of random vector, whose components have the given standard deviation, and random phase."""
        x, y = rng.normal(0.0, spread, 2)
        return cls(amplitude, float(x), float(y), float(rng.uniform(0, 2 * np.pi)))


@dataclass(frozen=True)
class Light:
    """What is mixed into a pattern, and how much of it there is.

    Attributes
    ----------
    electrons : float
        In the beam.
    vacuum : float
        Share of the averaged area without a specimen [1].
    shading : tuple of float
        Relative sensitivity at the right and at the lower edge, and at the corners, over that of the middle, less 1.
    diffuse : float
        Diffuse intensity over what the specimen scatters [1].
    waves : tuple of Wave
        Errors of the diffuse shape.
    """

    electrons: float = 1e6
    vacuum: float = 0.0
    shading: tuple[float, float, float] = (0.0, 0.0, 0.0)
    diffuse: float = 1.0
    waves: tuple[Wave, ...] = ()


@dataclass(frozen=True)
class Spot:
    """Something bright that is no part of the pattern.

    Attributes
    ----------
    place : tuple of float
        Middle (x, y) over the edge of the frame [1].
    height : float or None
        Over the brightest pixel [1]; None for the end of the file's range.
    sigma_px : float
        Standard deviation of a Gaussian [pixels]; 0 for a square.
    edge_px : int
        Edge of the square [pixels].
    """

    place: tuple[float, float]
    height: float | None
    sigma_px: float = 0.0
    edge_px: int = 1


@dataclass(frozen=True)
class File:
    """From a signal to the numbers in a file.

    Attributes
    ----------
    brightest : float
        Where the brightest pixel lies, over the range of 16 bits [1].
    offset : float
        Dark level over the brightest pixel [1].
    readout : float
        Standard deviation of the dark level over the brightest pixel [1].
    spots : tuple of Spot
    clipped : float
        Share of the pixels beyond the end of a converter of 12 bits, whose numbers the file holds in 16 [1].
    gamma : float or None
        A JPEG of 8 bits, brightness to this power; None for a TIFF of 16 bits.
    """

    brightest: float = 0.5
    offset: float = 0.01
    readout: float = 0.0
    spots: tuple[Spot, ...] = ()
    clipped: float = 0.0
    gamma: float | None = None


@dataclass(frozen=True)
class Told:
    """What the user says.

    Attributes
    ----------
    convergence_error_mrad : float
        Of the convergence angle [mrad].
    pixel_error : float or None
        Relative error of the pixel size [1]; None where it is not known.
    """

    convergence_error_mrad: float = 0.0
    pixel_error: float | None = None


@dataclass(frozen=True)
class Degradation:
    """Everything that happens to a pattern on its way into a file.

    Attributes
    ----------
    view, blur, light, file, told
        Its stages, in their order.
    """

    view: View = field(default_factory=View)
    blur: Blur = field(default_factory=Blur)
    light: Light = field(default_factory=Light)
    file: File = field(default_factory=File)
    told: Told = field(default_factory=Told)

    def as_json(self) -> dict[str, Any]:
        """The same as JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, plain: dict[str, Any]) -> Degradation:
        """Read what `as_json` gave.

        Raises
        ------
        FormatError
            A value is missing or of another type.
        """
        try:
            return TypeAdapter(cls).validate_python(plain)
        except ValidationError as error:
            raise FormatError(f"degradation: damaged or of another version ({error.error_count()} fields)") from None
