"""Directions of one aperture on a grid commensurate with the reciprocal lattice: beams fall on common pixels."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from pacbed.crystal.electron import wavelength_a
from pacbed.crystal.lattice import cone_nodes
from pacbed.crystal.potentials import SlicePotentials
from pacbed.errors import SimulationError
from pacbed.patterns import Geometry


@dataclass(frozen=True)
class LatticeGeometry(Geometry):
    """A geometry whose pixels are points of a lattice, in general oblique; a pixel is as large as the lattice's cell.

    Column and row of a point are its indices along the two steps; `center_px` are those of the optic axis.
    """

    pitch_mrad: np.ndarray = field(default_factory=lambda: np.eye(2))

    def lines_mrad(self) -> np.ndarray:
        """Crystal-frame angle of pixel (0, 0), its step from row to row and from column to column [mrad]; (3, 2)."""
        return np.stack([-np.array(self.center_px) @ self.pitch_mrad, self.pitch_mrad[1], self.pitch_mrad[0]])

    def angles_mrad(self) -> tuple[np.ndarray, np.ndarray]:
        """Crystal-frame angles (kx, ky) of every point [mrad], each of shape (ny, nx)."""
        row, column = np.indices(self.shape, dtype=float)
        origin, down, right = self.lines_mrad()
        x, y = (origin[axis] + row * down[axis] + column * right[axis] for axis in (0, 1))
        return x, y


@dataclass(frozen=True)
class Aperture:
    """Directions q = (m1 G1 + m2 G2) / steps + tau inside an aperture of semi-angle alpha.

    A pattern is a sum over the directions; what leaves at q + G reaches the pixel m + steps G of a lattice that is
    `steps` times finer than the reciprocal lattice. No interpolation is made.

    Attributes
    ----------
    steps : int
        Directions per reciprocal-lattice vector.
    nodes : ndarray of int, shape (direction, 2)
        Directions without the mistilt.
    q : ndarray, shape (direction, 2)
        Directions with the mistilt [1/Å].
    beams : ndarray of int, shape (beam, 2)
        Reciprocal-lattice vectors whose surroundings reach the field of view.
    pixels : ndarray of int, shape (pixel, 2)
        Pixels in the field of view, in units of (G1, G2) / steps.
    pitch_mrad : ndarray, shape (2, 2)
        Rows: the two steps of nodes and pixels [mrad].
    alpha_mrad : float
        Convergence semi-angle [mrad].
    """

    steps: int
    nodes: np.ndarray
    q: np.ndarray
    beams: np.ndarray
    pixels: np.ndarray
    pitch_mrad: np.ndarray
    alpha_mrad: float

    @property
    def pixel_area_mrad2(self) -> float:
        """Area of one pixel [mrad^2]."""
        return float(abs(np.linalg.det(self.pitch_mrad)))

    @property
    def geometry(self) -> LatticeGeometry:
        """A parallelogram around the field of view, as a renderer sees it."""
        columns, rows = np.abs(self.pixels).max(axis=0)
        shape, center = (2 * int(rows) + 1, 2 * int(columns) + 1), (float(columns), float(rows))
        return LatticeGeometry(shape, float(np.sqrt(self.pixel_area_mrad2)), center, pitch_mrad=self.pitch_mrad)

    def pick(self, rendered: np.ndarray) -> np.ndarray:
        """The pixels of the field of view from an image in that geometry, shape (pixel,)."""
        columns, rows = np.abs(self.pixels).max(axis=0)
        return rendered[self.pixels[:, 1] + rows, self.pixels[:, 0] + columns]

    @property
    def reach_mrad(self) -> float:
        """Half width of the pictures that `image` makes: the outermost pixel's angle [mrad]."""
        return float(np.linalg.norm(self.pixels @ self.pitch_mrad, axis=1).max())

    def image(self, values: np.ndarray, edge: int) -> np.ndarray:
        """Square picture of one pattern, each picture element that of the nearest pixel; NaN outside the field."""
        axis = (np.arange(edge) + 0.5) * 2 * self.reach_mrad / edge - self.reach_mrad
        x, y = np.meshgrid(axis, axis)
        nearest = np.round(np.stack([x, y], axis=-1) @ np.linalg.inv(self.pitch_mrad)).astype(int)
        index = self._index(nearest.reshape(-1, 2)).reshape(edge, edge)
        return np.where(index >= 0, values[index], np.nan)

    def patterns(self, intensity: np.ndarray, *, cells: int = 1, offsets: np.ndarray | None = None) -> np.ndarray:
        """Fraction of the beam per pixel.

        Parameters
        ----------
        intensity : ndarray, shape (plane, direction, beam) or (plane, direction, beam, bin)
            What leaves at q + G, or at q + G + offset / cells.
        cells : int
            Divides `steps` where there are bins.
        offsets : ndarray of int, shape (bin, 2)
            See `cell_bins`.

        Returns
        -------
        ndarray, shape (plane, pixel)
        """
        target = self.nodes[:, None, :] + self.steps * self.beams
        if offsets is not None:
            target = target[:, :, None, :] + offsets * (self.steps // cells)
        index = self._index(target.reshape(-1, 2))
        seen = index >= 0
        share = self.pixel_area_mrad2 / (np.pi * self.alpha_mrad**2)
        flat = intensity.reshape(len(intensity), -1)
        sums = [np.bincount(index[seen], weights=plane[seen], minlength=len(self.pixels)) for plane in flat]
        return np.stack(sums) * share

    def _index(self, target: np.ndarray) -> np.ndarray:
        """Number of each target among the pixels, -1 outside the field of view."""
        reach = int(max(np.abs(self.pixels).max(initial=0), np.abs(target).max(initial=0)))
        number = np.full((2 * reach + 1, 2 * reach + 1), -1)
        number[self.pixels[:, 0] + reach, self.pixels[:, 1] + reach] = np.arange(len(self.pixels))
        return number[target[:, 0] + reach, target[:, 1] + reach]


def sample_aperture(
    slices: SlicePotentials,
    *,
    alpha_mrad: float,
    mistilt_mrad: tuple[float, float],
    field_mrad: float,
    directions: int,
    cells: int = 1,
) -> Aperture:
    """Sample an aperture with at least so many directions.

    Parameters
    ----------
    slices : SlicePotentials
        Gives the reciprocal lattice and the wavelength.
    alpha_mrad : float
        Convergence semi-angle [mrad].
    mistilt_mrad : two floats
        Shift of the directions [mrad].
    field_mrad : float
        Radius of the field of view [mrad].
    directions : int
        Wanted number; steps per reciprocal-lattice vector are whole.
    cells : int
        Steps are a multiple of it, so that the bins of a supercell fall on pixels.
    """
    if not (alpha_mrad > 0 and field_mrad > 0 and directions > 0):
        got = (alpha_mrad, field_mrad, directions)
        raise SimulationError(f"alpha_mrad, field_mrad, directions: got {got}, accepted: positive numbers")
    unit = 1e3 * wavelength_a(slices.energy_ev)
    reciprocal = slices.reciprocal * unit
    wanted = np.sqrt(directions * abs(np.linalg.det(reciprocal)) / (np.pi * alpha_mrad**2))
    steps = cells * max(1, int(np.ceil(wanted / cells)))
    pitch = reciprocal / steps
    nodes = cone_nodes(pitch, alpha_mrad)
    reach = field_mrad + alpha_mrad + float(np.linalg.norm(reciprocal, axis=1).max())
    return Aperture(
        steps=steps,
        nodes=nodes,
        q=(nodes @ pitch + np.asarray(mistilt_mrad)) / unit,
        beams=cone_nodes(reciprocal, reach),
        pixels=cone_nodes(pitch, field_mrad),
        pitch_mrad=pitch,
        alpha_mrad=alpha_mrad,
    )
