"""The coefficients of a table on their principal components along thickness, as whole thickness series read them.

Intensities of most beams vary little and slowly with thickness, so that a few numbers say what a hundred planes do.
The basis is that of the whole table; each beam keeps as many components as its share of the error asks for.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pacbed.simulation.rendering.kernels.tables import CodedComponents, Mix
from pacbed.simulation.rendering.kernels.vectors import LANES
from pacbed.simulation.table.codes import decode_coefficients
from pacbed.simulation.table.rocking_table import RockingTable

# Root mean square of what a beam loses, relative to that of all coefficients of the table.
LOSS = 3e-4
LARGEST_CODE = 32_767
SAMPLE = 40_000  # pairs that the basis is made from
WORTH = 0.75  # share of the coefficients that must suffice, else their combination costs more than it saves
PROBED = 1_000  # pairs of a beam that its rank is taken from
CHUNK = 16_384  # pairs turned at once


@dataclass(frozen=True)
class ThicknessComponents:
    """A table as series read it.

    Attributes
    ----------
    basis : ndarray of float32, shape (component, coefficient)
        Orthonormal rows, the strongest first; rows of zeros fill up the last multiple of `LANES`.
    coded : CodedComponents
        The components of all pairs, in the table's order; each beam keeps a multiple of `LANES`.
    """

    basis: np.ndarray
    coded: CodedComponents

    @classmethod
    def of(cls, table: RockingTable) -> ThicknessComponents:
        """Turn the coefficients of a table, or keep them as they are where that saves too little."""
        counts = np.bincount(table.rows[:, 0], table.rows[:, 3], minlength=len(table.beams)).astype(np.int64)
        beams = np.split(table.codes, np.cumsum(counts)[:-1], axis=1)
        basis, limit = _principal(table.codes)
        rank = np.array([_rank(codes, basis, limit) for codes in beams])
        if np.sum(rank * counts) > WORTH * table.codes.size:
            basis = np.eye(len(basis), dtype=np.float32)
            rank = np.array([_rank(codes, basis, 0.0) for codes in beams])
        begin = np.concatenate([[0], np.cumsum(rank * counts)])
        codes, scale = np.empty(begin[-1], dtype=np.int16), np.empty(len(beams), dtype=np.float32)
        for beam, (values, count) in enumerate(zip(beams, counts, strict=True)):
            scale[beam] = _turn(values, basis, codes[begin[beam] : begin[beam + 1]].reshape(count, rank[beam]))
        filled = np.zeros((int(rank.max()), len(basis)), dtype=np.float32)
        filled[: len(basis)] = basis[: len(filled)]
        offset = begin[:-1] - (np.cumsum(counts) - counts) * rank
        return cls(filled, CodedComponents(codes, offset, rank, scale))

    def mix(self, first: np.ndarray, weights: np.ndarray) -> Mix:
        """Weights of the components in patterns that combine four coefficients each.

        Parameters
        ----------
        first, weights : ndarray, shapes (thickness,) and (thickness, 4)
            First of the coefficients, and their weights.

        Returns
        -------
        Mix
        """
        mix = np.zeros((-(-len(first) // 4) * 4, len(self.basis)), dtype=np.float32)
        for step in range(4):
            mix[: len(first)] += weights[:, step, None] * self.basis[:, first + step].T
        needed = np.any(mix.reshape(-1, 4, len(self.basis)), axis=1)
        low = np.argmax(needed, axis=1) // 4 * 4
        return Mix(mix, np.stack([low, len(self.basis) - np.argmax(needed[:, ::-1], axis=1)], axis=1))


def _principal(codes: np.ndarray) -> tuple[np.ndarray, float]:
    """Principal components (component, coefficient) of a table's codes, and what a pair may lose of its norm."""
    pairs = codes.shape[1]
    chosen = np.sort(np.random.default_rng(0).choice(pairs, min(pairs, SAMPLE), replace=False))
    sample = decode_coefficients(codes[:, chosen]).astype(float)
    basis = np.linalg.eigh(sample @ sample.T)[1].T[::-1]
    return basis.astype(np.float32), LOSS * float(np.sqrt(np.sum(sample**2) / len(chosen)))


def _rank(codes: np.ndarray, basis: np.ndarray, limit: float) -> int:
    """Components that one beam keeps, from some of its pairs: the smallest number that loses little enough."""
    sample = decode_coefficients(codes[:, :: max(1, codes.shape[1] // PROBED)]).T @ basis.T
    beyond = np.cumsum(np.sum(sample**2, axis=0, dtype=float)[::-1])[::-1]  # energy from each component on
    rank = int(np.sum(beyond > len(sample) * limit**2))
    return max(1, -(-rank // LANES)) * LANES


def _turn(codes: np.ndarray, basis: np.ndarray, out: np.ndarray) -> float:
    """Fill in the codes (pair, component) of one beam; returns what a code of 1 is worth."""
    kept = min(len(basis), out.shape[1])
    values = np.empty((len(out), kept), dtype=np.float32)
    for start in range(0, len(out), CHUNK):
        values[start : start + CHUNK] = decode_coefficients(codes[:, start : start + CHUNK]).T @ basis[:kept].T
    scale = float(np.abs(values).max(initial=0.0)) / LARGEST_CODE or 1.0
    out[:, :kept] = np.rint(values / np.float32(scale), out=values)
    out[:, kept:] = 0
    return scale
