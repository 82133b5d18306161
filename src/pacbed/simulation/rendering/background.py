"""Background below a pattern: its widths, and the weights of pattern and background."""

from __future__ import annotations

import numpy as np

# ASSUME: what the elastic model leaves out is smooth and centred: a constant and Gaussians of these widths, in units of
# the bright region's radius (an estimate; measured on published patterns of SrTiO3, 50 to 110 nm, it leaves a misfit
# below 0.1).
BACKGROUND_WIDTHS = (0.9, 2.0)


def solve_linear(columns: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Least squares of gain, constant and background, with all but the constant (column 1) kept from going negative."""
    matrix, vector = columns.T @ columns, columns.T @ target
    free = list(range(columns.shape[1]))
    while True:
        solution = np.zeros(columns.shape[1])
        solution[free] = np.linalg.solve(
            matrix[np.ix_(free, free)] + 1e-12 * matrix[1, 1] * np.eye(len(free)), vector[free]
        )
        negative = [index for index in free if index != 1 and solution[index] < 0]
        if not negative:
            return solution
        free.remove(min(negative, key=lambda index: solution[index] * np.sqrt(matrix[index, index])))
