"""What the compiled loops of the renderer read, by name.

Nodes are the directions of a rocking table, at m1 and m2 steps from the optic axis. A pair is a node and a beam: one
coefficient of the table. Loops take out before they begin what they read often: Numba counts a reference each time.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class NodeFrame(NamedTuple):
    """Where the nodes of a table lie.

    Attributes
    ----------
    pitch_mrad : ndarray, shape (2, 2)
        Rows: the steps (x, y) from node to node along m1 and m2 [mrad].
    inverse : ndarray, shape (2, 2)
        Inverse of the pitch: an angle (x, y) times it is a position in nodes [1/mrad].
    beams_mrad : ndarray, shape (beam, 2)
        Angle (x, y) of every beam G [mrad].
    field_mrad : float
        Radius of the field of view around the optic axis [mrad].
    reach_mrad : float
        Distance of a pixel to the farthest node that it reads [mrad].
    """

    pitch_mrad: np.ndarray
    inverse: np.ndarray
    beams_mrad: np.ndarray
    field_mrad: float
    reach_mrad: float


class Illumination(NamedTuple):
    """The incident directions of a pattern.

    Attributes
    ----------
    mistilt_mrad : ndarray, shape (2,)
        Centre (x, y) of the aperture among the directions of the table [mrad].
    convergence_mrad : float
        Convergence semi-angle [mrad].
    edge_mrad : float
        Width of the aperture's edge [mrad].
    pixel_share : float
        Solid angle of a pixel over that of the aperture: turns intensities into fractions of the beam per pixel.
    """

    mistilt_mrad: np.ndarray
    convergence_mrad: float
    edge_mrad: float
    pixel_share: float


class Scene(NamedTuple):
    """All of a pattern but its thickness.

    Attributes
    ----------
    frame : NodeFrame
    light : Illumination
    lines_mrad : ndarray, shape (3, 2)
        Angle (x, y) of the first pixel, and its step from row to row and from column to column [mrad].
    """

    frame: NodeFrame
    light: Illumination
    lines_mrad: np.ndarray


class NodeBox(NamedTuple):
    """Nodes of the detector that an image reads: first and one past the last along m1 and m2."""

    first1: int
    stop1: int
    first2: int
    stop2: int


class DirectionTable(NamedTuple):
    """Which of the distinct directions stands for each node, read row by row.

    Rows run along m1 and columns along m2; in a table turned for the other axis it is the other way round.

    Attributes
    ----------
    operation : ndarray of int8, shape (row, column)
        Operation W that leads from a node to its representative, -1 beyond the cone.
    first, second : ndarray of int16, shape (row, column)
        Indices m1 and m2 of the representative W m.
    run_end : ndarray of int32, shape (row, column)
        One past the last column of the run of nodes in a row that have one operation.
    step : ndarray of int64, shape (operation,)
        How far the coefficients of neighbours in a row lie apart in the table: 1 or -1, and 0 where they are no
        neighbours there.
    """

    operation: np.ndarray
    first: np.ndarray
    second: np.ndarray
    run_end: np.ndarray
    step: np.ndarray


class PairIndex(NamedTuple):
    """Where the coefficient of a representative direction and a beam lies.

    Attributes
    ----------
    row_start : ndarray of int32, shape (beam, m1)
        Position of a pair less its m2; m1 counts from -`reach`.
    beam_image : ndarray of int32, shape (operation, beam)
        Beam W G, -1 where the table lacks it.
    beams : ndarray of int64, shape (beam, 2)
        Reciprocal-lattice indices of every beam.
    steps : ndarray of int64, shape (2,)
        Nodes per reciprocal-lattice vector along m1 and m2.
    reach : int
        Largest index of a node.
    """

    row_start: np.ndarray
    beam_image: np.ndarray
    beams: np.ndarray
    steps: np.ndarray
    reach: int


class PlaneTable(NamedTuple):
    """Coefficients of one thickness.

    Attributes
    ----------
    codes : ndarray of int16, shape (pair,)
        Square-root codes, see `pacbed.simulation.table.codes`.
    pairs : PairIndex
    along : tuple of two DirectionTable
        Rows along m1, and rows along m2.
    """

    codes: np.ndarray
    pairs: PairIndex
    along: tuple[DirectionTable, DirectionTable]


class CodedComponents(NamedTuple):
    """Components along thickness of all pairs.

    Attributes
    ----------
    codes : ndarray of int16, shape (value,)
        Components of one pair side by side, pair after pair.
    offset, rank : ndarray of int64, shape (beam,)
        Component c of pair p of a beam lies at ``offset + p * rank + c``; a beam keeps `rank` of them.
    scale : ndarray of float32, shape (beam,)
        What a code of 1 is worth.
    """

    codes: np.ndarray
    offset: np.ndarray
    rank: np.ndarray
    scale: np.ndarray


class ComponentTable(NamedTuple):
    """Coefficients of all thicknesses: `CodedComponents`, and where those of a direction and a beam lie.

    Attributes
    ----------
    codes, offset, rank, scale
        See `CodedComponents`.
    pairs : PairIndex
    directions : DirectionTable
        Rows along m1.
    """

    codes: np.ndarray
    offset: np.ndarray
    rank: np.ndarray
    scale: np.ndarray
    pairs: PairIndex
    directions: DirectionTable


class Mix(NamedTuple):
    """How the components of a pixel make up its patterns.

    Attributes
    ----------
    weights : ndarray of float32, shape (thickness, component)
        Rows and columns of zeros fill up multiples of four.
    used : ndarray of int64, shape (thickness / 4, 2)
        First component, a multiple of four, and one past the last that four patterns need.
    """

    weights: np.ndarray
    used: np.ndarray


class Stencils(NamedTuple):
    """The sixteen nodes around each pixel and their weights, which are products of four along m1 and four along m2.

    On most images m1 or m2 changes along rows or along columns of pixels alone. Then one row or column of stencils
    speaks for all, and stays in the fastest cache.

    Attributes
    ----------
    below1, below2 : ndarray of int32, shape (stencil,)
        Last node before the pixel; the four begin with the one before it.
    weights1, weights2 : ndarray of float32, shape (stencil, 4)
    row1, column1, row2, column2 : int
        From row to row and from column to column of the image, along m1 and along m2: steps from stencil to stencil.
    visible : ndarray of int64, shape (row, 2)
        First pixel in the field of view and one past the last, in each row of the image.
    """

    below1: np.ndarray
    weights1: np.ndarray
    below2: np.ndarray
    weights2: np.ndarray
    row1: int
    column1: int
    row2: int
    column2: int
    visible: np.ndarray


class NodeSum(NamedTuple):
    """The sum over beams on the nodes of the detector, of one convergence angle.

    Attributes
    ----------
    box : NodeBox
    needed : ndarray of int64, shape (row, 2)
        First m2 that visible pixels read and one past the last, for each m1 of the box.
    disk : ndarray of int32, shape (m1, 2)
        Directions summed of every beam: first m2 and one past the last, for each m1 from -reach on.
    components : ndarray of float32, shape (row, column, component)
        The sum, for each m1 and m2 of the box.
    """

    box: NodeBox
    needed: np.ndarray
    disk: np.ndarray
    components: np.ndarray
