"""Incident directions of a rocking table: a grid commensurate with the reciprocal lattice, reduced by symmetry."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pacbed.crystal.electron import mrad_per_inverse_a
from pacbed.crystal.lattice import cone_nodes, on_reciprocal_indices, representatives
from pacbed.crystal.potentials import SlicePotentials
from pacbed.errors import SimulationError
from pacbed.simulation.table.spline import PREFILTER_REACH, STENCIL_REACH, reach_mrad

REFERENCE_ANGLE_MRAD = 40.0  # scattering angle that sets the width of rocking fringes in the starting pitch
FRINGE_FRACTION = 0.4  # of a fringe per node: where the search for the largest good pitch starts


@dataclass(frozen=True)
class DirectionGrid:
    """Incident directions q = m1 G1 / n1 + m2 G2 / n2, called nodes.

    Attributes
    ----------
    steps : tuple of int
        n1, n2: nodes per reciprocal-lattice vector.
    reciprocal_mrad : ndarray, shape (2, 2)
        Rows G1, G2 [mrad].
    operations : ndarray of int, shape (operation, 2, 2)
        Beam group acting on node and beam indices, m' = W m.
    cone_mrad : float
        Every direction up to this angle is covered, the margins of interpolation included.
    nodes : ndarray of int, shape (direction, 2)
        One representative of each orbit, sorted by angle.
    """

    steps: tuple[int, int]
    reciprocal_mrad: np.ndarray
    operations: np.ndarray
    cone_mrad: float
    nodes: np.ndarray

    @property
    def pitch_mrad(self) -> np.ndarray:
        """Rows: the two node steps [mrad]."""
        return self.reciprocal_mrad / np.array(self.steps)[:, None]

    @property
    def sample_margin_mrad(self) -> float:
        """How far beyond a rendered direction the samples behind its coefficients may lie [mrad]."""
        return reach_mrad(self.pitch_mrad, STENCIL_REACH + PREFILTER_REACH)


def starting_pitch_mrad(energy_ev: float, thickness_nm: float) -> float:
    """Pitch that resolves the rocking fringes of a slab, 0.4 lambda / (theta t) [mrad].

    A beam scattered by theta oscillates with the incident angle at a period of lambda / (theta t), t the thickness.
    """
    theta, thickness_a = 1e-3 * REFERENCE_ANGLE_MRAD, 10 * thickness_nm
    return FRINGE_FRACTION * mrad_per_inverse_a(energy_ev) / (theta * thickness_a)


def direction_grid(
    slices: SlicePotentials, *, cone_mrad: float, pitch_mrad: float, termination: str = "top"
) -> DirectionGrid:
    """Smallest set of directions that symmetry expands to a whole cone.

    Parameters
    ----------
    slices : SlicePotentials
        Gives the reciprocal lattice and the beam group.
    cone_mrad : float
        Largest angle at which a pattern may need a direction [mrad].
    pitch_mrad : float
        Upper limit of the distance between nodes [mrad].
    termination : {"top", "average"}
        Symmetry that reduces the directions: that of the slab as it is cut, or of the mean over equivalent surfaces.

    Returns
    -------
    DirectionGrid

    Raises
    ------
    SimulationError
        A limit is not positive.
    """
    if not (pitch_mrad > 0 and cone_mrad > 0):
        raise SimulationError(f"direction grid: got cone {cone_mrad} and pitch {pitch_mrad} mrad, accepted: positive")
    reciprocal = slices.reciprocal * mrad_per_inverse_a(slices.energy_ev)
    steps = np.ceil(np.linalg.norm(reciprocal, axis=1) / pitch_mrad - 1e-9).astype(int)
    operations = on_reciprocal_indices(slices.operations(termination))
    if np.any(operations[:, 0, 1]) or np.any(operations[:, 1, 0]):
        steps[:] = steps.max()  # operations that mix the axes map nodes to nodes only with equal steps
    pitch = reciprocal / steps[:, None]
    covered = cone_mrad + reach_mrad(pitch, STENCIL_REACH + PREFILTER_REACH)
    every = cone_nodes(pitch, covered)
    representative = representatives(every, operations)[0]
    nodes = every[np.all(every == representative, axis=1)]
    order = np.lexsort((nodes[:, 1], nodes[:, 0], np.round(np.linalg.norm(nodes @ pitch, axis=1), 9)))
    return DirectionGrid((int(steps[0]), int(steps[1])), reciprocal, operations, covered, nodes[order])
