"""Advice in words: one sentence, what it means, and a line for each angle."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from pacbed.evaluation.advice.advise import Advice, over_thickness

ALIKE = 1.05  # ratio of errors below which the angle does not matter


def best_sentence(advice: Advice) -> str:
    """The best angle, the error it promises, and how much worse the worst angle would be."""
    grid, total, noise = advice.grid, advice.criterion_nm, over_thickness(advice.noise_nm)
    best, worst = advice.best, advice.worst
    low, high = grid.thickness_nm[[0, -1]]
    model = float(np.sqrt(np.mean(advice.model_nm**2)))
    promise = (
        f"Best convergence angle for {low:g} to {high:g} nm: {grid.convergence_mrad[best]:.1f} mrad, with an expected "
        f"thickness error of {total[best]:.2g} nm (noise {noise[best]:.2g}, model {model:.2g})"
    )
    if best == worst:
        return f"{promise}, the only angle of this bundle."
    told = f"{promise}; the worst, {grid.convergence_mrad[worst]:.1f} mrad, would have"
    if not np.isfinite(total[worst]):
        return f"{told} patterns that do not tell the thickness."
    errors, of_noise = (_more(one[worst] / one[best]) for one in (total, noise))
    return f"{told} {total[worst]:.2g} nm, {errors} (noise {of_noise})."


def _more(ratio: float) -> str:
    """A ratio in words."""
    if ratio >= 2:
        return f"{ratio:.2g} times as much"
    return f"{abs(100 * (ratio - 1)):.2g} % {'more' if ratio >= 1 else 'less'}"


def advice_lines(advice: Advice) -> Iterator[str]:
    """What is printed: the sentence first."""
    grid, total = advice.grid, advice.criterion_nm
    noise, mistilt = over_thickness(advice.noise_nm), over_thickness(advice.mistilt_mrad)
    yield best_sentence(advice)
    if total[advice.worst] < ALIKE * total[advice.best]:
        yield "The angle hardly matters for the thickness here: the model's error outweighs the noise."
    first = int(np.argmin(mistilt))
    yield f"The mistilt is told best at {grid.convergence_mrad[first]:.1f} mrad, to {mistilt[first]:.2g} mrad."
    sizes = " and ".join(sorted({f"{np.hypot(*vector):.3g}" for vector in grid.mistilts_mrad}, key=float))
    yield (
        f"Errors are one standard deviation, root mean squares over {len(grid.thickness_nm)} thicknesses and mistilts "
        f"of {sizes} mrad, with {advice.electrons:.3g} electrons in the beam."
    )
    yield "  angle [mrad]   thickness [nm]   of it noise [nm]   mistilt [mrad]"
    for number, angle in enumerate(grid.convergence_mrad):
        mark = "  best" if number == advice.best else ""
        yield f"  {angle:12.1f}   {total[number]:14.3g}   {noise[number]:16.3g}   {mistilt[number]:14.3g}{mark}"
