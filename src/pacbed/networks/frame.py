"""The frame in which a network sees a pattern: polar, about the centre and radius of its bright region."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from pacbed.errors import FormatError
from pacbed.patterns import Geometry


@dataclass(frozen=True)
class Placement:
    """How polar maps lie on their images; one entry in every array for each map.

    Column k of a map of K columns looks along the azimuth ``s 2 pi k / K + turn`` of the image, s = -1 where mirrored.

    Attributes
    ----------
    shift : ndarray, shape (map, 2)
        Centre (x, y) beside that of the image, over the radius of the bright region [1].
    radius : ndarray, shape (map,)
        Radius taken for that of the bright region, over it [1].
    turn : ndarray, shape (map,)
        Azimuth of column 0, from +x towards +y [rad].
    mirrored : ndarray of bool, shape (map,)
        Azimuths run backwards.
    """

    shift: np.ndarray
    radius: np.ndarray
    turn: np.ndarray
    mirrored: np.ndarray

    @classmethod
    def centred(cls, turn: np.ndarray, mirrored: np.ndarray) -> Placement:
        """Maps about the centre and radius found."""
        return cls(np.zeros((len(turn), 2)), np.ones(len(turn)), turn, mirrored)

    @property
    def sign(self) -> np.ndarray:
        """1, or -1 where mirrored, shape (map,)."""
        return np.where(self.mirrored, -1.0, 1.0)

    def seen_azimuth(self, azimuth: np.ndarray) -> np.ndarray:
        """Azimuths in the image [rad] as azimuths in the maps [rad], shape (map,)."""
        return np.asarray(self.sign * (azimuth - self.turn))

    def image_azimuth(self, seen: np.ndarray) -> np.ndarray:
        """Azimuths in the maps [rad] as azimuths in the image [rad], shape (map,)."""
        return np.asarray(self.sign * seen + self.turn)


@dataclass(frozen=True)
class PolarFrame:
    """Image about the bright region, and the polar map that is read from it.

    A pattern is first brought onto few square pixels, centred and with the radius of its bright region as the unit of
    length: rendered so in training, resampled so in a prediction. The map is read from these pixels, which makes the
    reading common to both.

    Attributes
    ----------
    pixels : int
        Edge of the image [pixels].
    half_width : float
        Half its width over the radius of the bright region [1].
    radii, angles : int
        Rows and columns of the map.
    reach : float
        Outer radius of the map over that of the bright region [1].
    """

    pixels: int = 64
    half_width: float = 1.8
    radii: int = 32
    angles: int = 64
    reach: float = 1.5

    @property
    def geometry(self) -> Geometry:
        """Pixels of the image; the unit of angle is the radius of the bright region, not the mrad."""
        return Geometry.field_of_view(self.pixels, self.half_width)

    @property
    def pixel(self) -> float:
        """Pixel of the image over the radius of the bright region [1]."""
        return 2 * self.half_width / self.pixels

    def maps(self, images: np.ndarray, placement: Placement) -> np.ndarray:
        """Read polar maps from images by bilinear interpolation.

        Parameters
        ----------
        images : ndarray of float32, shape (map, y, x)
            Images of this frame, in any unit.
        placement : Placement
            How each map lies on its image.

        Returns
        -------
        ndarray of float32, shape (map, radius, angle)
            In the unit of the images; row j is at ``(j + 1/2) / radii`` of `reach`. Beyond the image its edge counts.
        """
        columns = 2 * np.pi * np.arange(self.angles) / self.angles
        azimuth = (placement.sign[:, None] * columns + placement.turn[:, None])[:, None, :]
        rows = (np.arange(self.radii) + 0.5) / self.radii * self.reach
        radius = (placement.radius[:, None] * rows)[:, :, None]
        middle = (self.pixels - 1) / 2
        x = (radius * np.cos(azimuth) + placement.shift[:, 0, None, None]) / self.pixel + middle
        y = (radius * np.sin(azimuth) + placement.shift[:, 1, None, None]) / self.pixel + middle
        return _bilinear(images, x.astype(np.float32), y.astype(np.float32))

    def as_json(self) -> dict[str, Any]:
        """The same as JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> PolarFrame:
        """Read what `as_json` gave.

        Raises
        ------
        FormatError
            A value is missing, unknown or no number.
        """
        try:
            found = cls(**{name: type(default)(content[name]) for name, default in asdict(cls()).items()})
        except (KeyError, TypeError, ValueError) as error:
            raise FormatError(f"frame: got {content!r}, accepted: {', '.join(asdict(cls()))}") from error
        if min(asdict(found).values()) <= 0:
            raise FormatError(f"frame: got {content!r}, accepted: numbers above 0")
        return found


def _bilinear(images: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Values of images (map, y, x) at pixel positions of shape (map, radius, angle)."""
    count, height, width = images.shape
    x, y = np.clip(x, 0, width - 1.001), np.clip(y, 0, height - 1.001)
    column, row = x.astype(np.int32), y.astype(np.int32)
    right, below = x - column, y - row
    flat = np.ascontiguousarray(images).reshape(-1)
    corner = row * width + column + (np.arange(count, dtype=np.int32) * height * width)[:, None, None]
    upper = flat[corner] * (1 - right) + flat[corner + 1] * right
    lower = flat[corner + width] * (1 - right) + flat[corner + width + 1] * right
    return np.asarray(upper * (1 - below) + lower * below, dtype=np.float32)
