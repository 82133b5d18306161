"""What a pattern is: how its pixels see the diffraction plane, how two are compared, how one is stored in 16 bits.

The one place that knows the axis order of images.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

LARGEST_COUNT = 65_535  # of the 16-bit integers that stand for fractions of the beam


@dataclass(frozen=True)
class Geometry:
    """Position of an image in the diffraction plane.

    Images are seen along +z, the beam's travel: rows run down (y), columns to the right (x), azimuths count from +x
    towards +y. A crystal direction k appears in the image at S R(rotation) M k, with M = diag(1, -1) if mirrored. S is
    the camera's elliptical distortion: the exponential of the symmetric, trace-free matrix ((p, c), (c, -p)) / 100.

    Attributes
    ----------
    shape : tuple of int
        Rows and columns (ny, nx).
    pixel_mrad : float
        Pixel size [mrad].
    center_px : tuple of float
        Column and row (cx, cy) of the optic axis; pixel (0, 0) has its centre at (0, 0).
    rotation_deg : float
        Azimuth at which the crystal's +x appears in the image [deg].
    mirrored : bool
        The image is seen against the beam's travel (a transposed or flipped camera).
    ellipse_percent : tuple of float
        Elliptical distortion (p, c) of the image [%]: circles are p larger along x and p smaller along y, and c larger
        along the diagonal x = y. The ratio of the axes is exp(2 hypot(p, c) / 100); areas stay.
    """

    shape: tuple[int, int]
    pixel_mrad: float
    center_px: tuple[float, float]
    rotation_deg: float = 0.0
    mirrored: bool = False
    ellipse_percent: tuple[float, float] = (0.0, 0.0)

    @classmethod
    def field_of_view(cls, pixels: int, max_angle_mrad: float) -> Geometry:
        """Square, centred image of the given half width [mrad]: scale 1."""
        middle = (pixels - 1) / 2
        return cls((pixels, pixels), 2 * max_angle_mrad / pixels, (middle, middle))

    def lines_mrad(self) -> np.ndarray:
        """Crystal-frame angle (kx, ky) of pixel (0, 0), its step from row to row and from column to column [mrad].

        Shape (3, 2): every pixel centre is at the first plus `row` times the second plus `column` times the third.
        """
        steps = np.array([[-self.center_px[0], -self.center_px[1]], [0.0, 1.0], [1.0, 0.0]]) * self.pixel_mrad
        crystal: np.ndarray = steps @ np.linalg.inv(self._stretch() @ self._turn()).T
        return crystal

    def angles_mrad(self) -> tuple[np.ndarray, np.ndarray]:
        """Crystal-frame angles (kx, ky) of every pixel centre [mrad], each of shape (ny, nx)."""
        row, column = np.indices(self.shape, dtype=float)
        origin, down, right = self.lines_mrad()
        return tuple(origin[axis] + row * down[axis] + column * right[axis] for axis in (0, 1))

    def distorted(self, vectors: np.ndarray) -> np.ndarray:
        """Move vectors of an undistorted image, shape (2, ...), to where the image shows them."""
        return np.tensordot(self._stretch(), np.asarray(vectors, dtype=float), axes=1)

    def to_image(self, vector: np.ndarray) -> np.ndarray:
        """Turn a crystal-frame vector (x, y) into the frame of the image, without its distortion."""
        return self._turn() @ np.asarray(vector, dtype=float)

    def to_crystal(self, vector: np.ndarray) -> np.ndarray:
        """Turn an image-frame vector (x, y), without distortion, into the frame of the crystal."""
        return np.linalg.inv(self._turn()) @ np.asarray(vector, dtype=float)

    def _turn(self) -> np.ndarray:
        angle = np.deg2rad(self.rotation_deg)
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        return turn @ np.diag([1.0, -1.0 if self.mirrored else 1.0])

    def _stretch(self) -> np.ndarray:
        """S, shape (2, 2)."""
        plus, cross = np.array(self.ellipse_percent) / 100
        size = float(np.hypot(plus, cross))
        if size == 0:
            return np.eye(2)
        return np.cosh(size) * np.eye(2) + np.sinh(size) / size * np.array([[plus, cross], [cross, -plus]])


def polar_to_vector(magnitude_mrad: float, azimuth_deg: float) -> np.ndarray:
    """Vector (x, y) [mrad] of a magnitude at an azimuth counted from +x towards +y."""
    angle = np.deg2rad(azimuth_deg)
    return magnitude_mrad * np.array([np.cos(angle), np.sin(angle)])


def relative_l2(pattern: np.ndarray, reference: np.ndarray) -> float:
    """Euclidean norm of the difference over that of the reference; arrays of one shape."""
    return float(np.linalg.norm(pattern - reference) / np.linalg.norm(reference))


def in_units(images: np.ndarray, unit: float) -> np.ndarray:
    """Numbers as uint16 multiples of a unit, rounded and clipped as `mix_row` does."""
    return np.floor(np.clip(images / np.float32(unit), 0.0, LARGEST_COUNT) + np.float32(0.5)).astype(np.uint16)


def bin_pixels(array: np.ndarray, factor: int) -> np.ndarray:
    """Means over squares of `factor` pixels of an array of shape (y, x); what is left over is cut off.

    Returns
    -------
    float array, shape (y // factor, x // factor)
    """
    ny, nx = (size // factor for size in array.shape)
    return array[: ny * factor, : nx * factor].reshape(ny, factor, nx, factor).mean(axis=(1, 3))
