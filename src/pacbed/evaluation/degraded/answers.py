"""What a bundle answers to a recorded pattern, with the truth beside it: one JSON line each."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from pacbed.analysis.fit.restraints import ELLIPSE_PERCENT
from pacbed.analysis.options import PredictOptions
from pacbed.analysis.predict import analyse
from pacbed.analysis.result import Result
from pacbed.analysis.steps import library_for
from pacbed.bundle.reader import Bundle
from pacbed.errors import PacbedError
from pacbed.evaluation.degraded.recording import Recording
from pacbed.evaluation.floor import Counting, cramer_rao_floor

CLOSE_NM, CLOSE_SHARE, FLOORS = 1.0, 0.03, 3.0  # what counts as right: the largest of the three


@dataclass(frozen=True)
class Found:
    """An answer. None where it has no such number.

    Attributes
    ----------
    verdict : str
        As in the result; "error" where there is none.
    reasons : tuple of str
    thickness_nm, std_nm : float or None
        Value and standard deviation [nm].
    interval_90_nm : tuple of float or None
    mistilt_mrad : tuple of float or None
        (x, y) in the image [mrad].
    misfit, noise : float or None
        Of the best rendered pattern, and what noise accounts for.
    candidates : tuple of tuple of float
        Thickness [nm] and probability of the network's candidates.
    library : tuple of float or None
        Mismatch of the library's entries near the thickness, and the least of all.
    contrast : float or None
        Of the bright region.
    entropy : float or None
        Of the network's thickness distribution [nat].
    cpu_s : float
        Processor time [s].
    """

    verdict: str
    reasons: tuple[str, ...] = ()
    thickness_nm: float | None = None
    std_nm: float | None = None
    interval_90_nm: tuple[float, float] | None = None
    mistilt_mrad: tuple[float, float] | None = None
    misfit: float | None = None
    noise: float | None = None
    candidates: tuple[tuple[float, float], ...] = ()
    library: tuple[float, float] | None = None
    contrast: float | None = None
    entropy: float | None = None
    cpu_s: float = 0.0


@dataclass(frozen=True)
class Row:
    """A pattern with its answers.

    Attributes
    ----------
    number : int
        Of the pattern, which is its seed.
    kind : str
        What happened to it beside the ordinary.
    specimen : int
        Number of the specimen.
    thickness_nm : float
        Truth [nm].
    mistilt_mrad : tuple of float
        Truth (x, y) in the image [mrad].
    electrons : float
        In the beam.
    tolerance_nm : float
        What counts as right [nm].
    how : dict
        The degradation, as JSON values.
    refined, alone : Found or None
        Answer of the fit, and of the networks alone where there are any.
    """

    number: int
    kind: str
    specimen: int
    thickness_nm: float
    mistilt_mrad: tuple[float, float]
    electrons: float
    tolerance_nm: float
    how: dict[str, Any]
    refined: Found
    alone: Found | None = None

    def as_json(self) -> dict[str, Any]:
        """The same as JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, plain: dict[str, Any]) -> Row:
        """Read what `as_json` gave."""
        answers = {name: None if plain[name] is None else _found(plain[name]) for name in ("refined", "alone")}
        x, y = plain["mistilt_mrad"]
        return cls(**{**plain, **answers, "mistilt_mrad": (float(x), float(y))})


def ask(bundle: Bundle, recorded: Recording, *, number: int, kind: str, specimen: int, how: dict[str, Any]) -> Row:
    """Let a bundle answer a recorded pattern, with a fit and by its networks alone.

    Parameters
    ----------
    bundle : Bundle
    recorded : Recording
    number, kind, specimen, how
        As in `Row`.
    """
    # Who has a bundle works inside its range of angles.
    angle = float(np.clip(recorded.given_mrad, *bundle.meta.trained.convergence_mrad))
    recorded = recorded._replace(given_mrad=angle)
    truth = recorded.truth
    x, y = truth.mistilt_in_image()
    refined = _asked(bundle, recorded, refine=True)
    alone = _asked(bundle, recorded, refine=False) if bundle.networks else None
    tolerance = max(CLOSE_NM, CLOSE_SHARE * truth.thickness_nm)
    answers = [one.thickness_nm for one in (refined, alone) if one is not None and one.thickness_nm is not None]
    if any(abs(value - truth.thickness_nm) > tolerance for value in answers):  # else the floor does not matter
        tolerance = max(tolerance, FLOORS * _floor_nm(bundle, recorded))
    return Row(
        number,
        kind,
        specimen,
        truth.thickness_nm,
        (float(x), float(y)),
        recorded.electrons,
        float(tolerance),
        how,
        refined,
        alone,
    )


def _asked(bundle: Bundle, recorded: Recording, *, refine: bool) -> Found:
    try:
        library_for(bundle, recorded.given_mrad)  # made once for all patterns of an angle
        started = time.process_time()
        options = PredictOptions(
            convergence_mrad=recorded.given_mrad, pixel_mrad=recorded.given_pixel_mrad, refine=refine
        )
        result = analyse(bundle, recorded.file, options).result
    except PacbedError as error:
        return Found("error", (str(error),))
    return replace(_of_result(result), cpu_s=round(time.process_time() - started, 3))


def _of_result(result: Result) -> Found:
    thickness, x, y = result.thickness_nm, result.mistilt_x_mrad, result.mistilt_y_mrad
    classes, known = result.networks.get("thickness"), result.provenance.parameters
    probability = None if classes is None else np.maximum(classes.probability, 1e-30)
    place = known["library"]
    return Found(
        result.verdict,
        tuple(result.reasons),
        None if thickness is None else thickness.value,
        None if thickness is None else thickness.std,
        None if thickness is None else thickness.interval_90,
        None if x is None or y is None else (x.value, y.value),
        result.misfit,
        known["misfit_of_noise"],
        tuple((one.value, one.probability) for one in result.thickness_candidates),
        None if place is None else (place["mismatch"], place["best"]),
        known["bright_region"]["contrast"],
        None if probability is None else float(-np.sum(probability * np.log(probability))),
    )


def _floor_nm(bundle: Bundle, recorded: Recording) -> float:
    """Smallest possible standard deviation of the thickness; none where the table does not hold the pattern [nm]."""
    ellipse = dict.fromkeys(("ellipse_plus_percent", "ellipse_cross_percent"), ELLIPSE_PERCENT)
    angle_std = bundle.meta.priors.convergence_relative * recorded.truth.convergence_mrad
    edge = round(2 * max(recorded.truth.center_px))
    try:
        floor = cramer_rao_floor(
            bundle.renderer,
            recorded.truth,
            (edge, edge),
            electrons=Counting(recorded.electrons),
            prior_std={"convergence_mrad": angle_std, **ellipse},
        )
    except PacbedError:
        return 0.0
    return floor.std["thickness_nm"]


def _found(plain: dict[str, Any]) -> Found:
    def pair(name: str) -> tuple[float, float] | None:
        return None if plain[name] is None else (float(plain[name][0]), float(plain[name][1]))

    return Found(
        **{
            **plain,
            "reasons": tuple(plain["reasons"]),
            "candidates": tuple((float(t), float(p)) for t, p in plain["candidates"]),
            "interval_90_nm": pair("interval_90_nm"),
            "library": pair("library"),
            "mistilt_mrad": pair("mistilt_mrad"),
        }
    )
