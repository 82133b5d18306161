"""Directions of one aperture on a grid commensurate with the reciprocal lattice: beams fall on common pixels."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from pacbed.crystal.electron import mrad_per_inverse_a
from pacbed.crystal.lattice import cone_nodes
from pacbed.crystal.potentials import SlicePotentials
from pacbed.errors import SimulationError
from pacbed.patterns import Geometry, polar_to_vector

FEW_DIRECTIONS = 150  # weigh the whole aperture: how much a pattern depends on a numerical choice is seen with these
OFF_MIRRORS_DEG = 20.0  # azimuth of a mistilt that lies on no mirror of any lattice


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
    """Directions of a convergent beam, q = (m1 G1 + m2 G2) / steps + tau, of semi-convergence angle alpha.

    The pattern of a convergent beam, averaged over the positions of the probe in a cell, is the incoherent sum of the
    patterns of its plane waves (LeBeau et al., Ultramicroscopy 110, 118 (2010)); what leaves at q + G reaches the
    pixel m + steps G of a lattice that is `steps` times finer than the reciprocal lattice. No interpolation is made.

    Attributes
    ----------
    steps : int
        Directions per reciprocal-lattice vector.
    nodes : ndarray of int, shape (direction, 2)
        m1 and m2 of each direction.
    mistilt_mrad : ndarray, shape (2,)
        tau, x and y in the crystal frame [mrad].
    q : ndarray, shape (direction, 2)
        Directions with the mistilt [1/Å].
    beams : ndarray of int, shape (beam, 2)
        Reciprocal-lattice vectors whose surroundings reach the field of view.
    pixels : ndarray of int, shape (pixel, 2)
        Pixels in the field of view, in units of (G1, G2) / steps.
    pitch_mrad : ndarray, shape (2, 2)
        Rows: the two steps of nodes and pixels [mrad].
    alpha_mrad : float
        Semi-convergence angle [mrad].
    """

    steps: int
    nodes: np.ndarray
    mistilt_mrad: np.ndarray
    q: np.ndarray
    beams: np.ndarray
    pixels: np.ndarray
    pitch_mrad: np.ndarray
    alpha_mrad: float

    @property
    def beams_mrad(self) -> np.ndarray:
        """Reciprocal-lattice vectors of the beams, shape (beam, 2) [mrad]."""
        return np.asarray(self.steps * self.beams @ self.pitch_mrad)

    @property
    def pixel_area_mrad2(self) -> float:
        """Area of one pixel [mrad^2]."""
        return float(abs(np.linalg.det(self.pitch_mrad)))

    @property
    def direction_share(self) -> float:
        """Fraction of the beam that one direction stands for."""
        return self.pixel_area_mrad2 / (np.pi * self.alpha_mrad**2)

    @property
    def geometry(self) -> LatticeGeometry:
        """A parallelogram around the field of view, as a renderer sees it."""
        columns, rows = np.abs(self.pixels).max(axis=0)
        shape, center = (2 * int(rows) + 1, 2 * int(columns) + 1), (float(columns), float(rows))
        return LatticeGeometry(shape, float(np.sqrt(self.pixel_area_mrad2)), center, pitch_mrad=self.pitch_mrad)

    def pick(self, rendered: np.ndarray) -> np.ndarray:
        """The pixels of the field of view, shape (pixel,), from an image in `geometry`, shape (ny, nx)."""
        columns, rows = np.abs(self.pixels).max(axis=0)
        return rendered[self.pixels[:, 1] + rows, self.pixels[:, 0] + columns]

    @property
    def reach_mrad(self) -> float:
        """Half width of the pictures that `image` makes: the outermost pixel's angle [mrad]."""
        return float(np.linalg.norm(self.pixels @ self.pitch_mrad, axis=1).max())

    def image(self, values: np.ndarray, edge: int) -> np.ndarray:
        """Picture of a pattern, each element that of the nearest pixel.

        Parameters
        ----------
        values : ndarray, shape (pixel,)
            The pattern.
        edge : int
            Elements along each side.

        Returns
        -------
        ndarray, shape (edge, edge)
            Rows along +y, columns along +x; NaN outside the field of view.
        """
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
            What leaves at q + G, or at q + G + offset / cells [fraction of a direction's wave].
        cells : int
            Edge of the supercell, where there are bins; divides `steps`.
        offsets : ndarray of int, shape (bin, 2)
            Indices of the bins around a beam, in steps of G / cells, as `cell_bins` gives them.

        Returns
        -------
        ndarray, shape (plane, pixel)
            The sum over all pixels is 1 where everything falls into the field of view, up to the roughness of the
            aperture's rim.
        """
        target = self.nodes[:, None, :] + self.steps * self.beams
        if offsets is not None:
            target = target[:, :, None, :] + offsets * (self.steps // cells)
        index = self._index(target.reshape(-1, 2))
        seen = index >= 0
        flat = intensity.reshape(len(intensity), -1)
        sums = [np.bincount(index[seen], weights=plane[seen], minlength=len(self.pixels)) for plane in flat]
        return np.stack(sums) * self.direction_share

    def _index(self, target: np.ndarray) -> np.ndarray:
        """Number of each target among the pixels, -1 outside the field of view."""
        reach = int(max(np.abs(self.pixels).max(initial=0), np.abs(target).max(initial=0)))
        number = np.full((2 * reach + 1, 2 * reach + 1), -1)
        number[self.pixels[:, 0] + reach, self.pixels[:, 1] + reach] = np.arange(len(self.pixels))
        return number[target[:, 0] + reach, target[:, 1] + reach]


def mistilt_off_mirrors(tau_mrad: float) -> tuple[float, float]:
    """Mistilt (x, y) of a given size that no mirror of any lattice leaves in place [mrad]."""
    x, y = polar_to_vector(tau_mrad, OFF_MIRRORS_DEG)
    return float(x), float(y)


def sample_aperture(
    slices: SlicePotentials,
    *,
    alpha_mrad: float,
    mistilt_mrad: tuple[float, float],
    field_mrad: float,
    directions: int = FEW_DIRECTIONS,
    cells: int = 1,
) -> Aperture:
    """Sample an aperture with at least about so many directions.

    Parameters
    ----------
    slices : SlicePotentials
        Gives the reciprocal lattice and the wavelength.
    alpha_mrad : float
        Semi-convergence angle [mrad].
    mistilt_mrad : two floats
        Shift of the directions, x and y in the crystal frame [mrad].
    field_mrad : float
        Radius of the field of view, around the axis of the tilted aperture [mrad].
    directions : int
        Wanted number; steps per reciprocal-lattice vector are whole.
    cells : int
        Edge of the supercell of displaced atoms. Steps are a multiple of it, so that its bins fall on pixels.

    Raises
    ------
    SimulationError
        An angle or the number is not positive.
    """
    if not (alpha_mrad > 0 and field_mrad > 0 and directions > 0):
        got = (alpha_mrad, field_mrad, directions)
        raise SimulationError(f"alpha_mrad, field_mrad, directions: got {got}, accepted: positive numbers")
    unit = mrad_per_inverse_a(slices.energy_ev)
    reciprocal = slices.reciprocal * unit
    wanted = np.sqrt(directions * abs(np.linalg.det(reciprocal)) / (np.pi * alpha_mrad**2))
    steps = cells * max(1, int(np.ceil(wanted / cells)))
    pitch, mistilt = reciprocal / steps, np.asarray(mistilt_mrad, dtype=float)
    nodes = cone_nodes(pitch, alpha_mrad)
    # The diffuse part around a beam reaches as far as half a cell of the reciprocal lattice.
    around_mrad = float(np.linalg.norm(reciprocal, axis=1).max()) if cells > 1 else 0.0
    return Aperture(
        steps=steps,
        nodes=nodes,
        mistilt_mrad=mistilt,
        q=(nodes @ pitch + mistilt) / unit,
        beams=cone_nodes(reciprocal, field_mrad + alpha_mrad + around_mrad),
        pixels=cone_nodes(pitch, field_mrad),
        pitch_mrad=pitch,
        alpha_mrad=alpha_mrad,
    )
