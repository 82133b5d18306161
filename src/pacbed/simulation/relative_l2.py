"""The one figure by which two patterns are compared."""

from __future__ import annotations

import numpy as np


def relative_l2(pattern: np.ndarray, reference: np.ndarray) -> float:
    """Euclidean norm of the difference over that of the reference; arrays of one shape."""
    return float(np.linalg.norm(pattern - reference) / np.linalg.norm(reference))
