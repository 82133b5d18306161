"""From what was fitted or classified to the estimates of a result, in the frame of the image."""

from __future__ import annotations

from typing import Any

import numpy as np

from pacbed.analysis.fit.refinement import Refinement
from pacbed.analysis.networks import NetworkAnswers
from pacbed.analysis.result import (
    NORMAL_90,
    Candidate,
    ClassProbabilities,
    EffectEstimate,
    Estimate,
    RotationEstimate,
    ThicknessEstimate,
    estimate,
    interval,
)
from pacbed.bundle.meta import BundleMeta
from pacbed.networks.trained import TrainedNetwork

AZIMUTH_KNOWN_RAD = 0.5  # as a vector two standard errors long


def refined_values(refinement: Refinement, meta: BundleMeta, *, period_deg: float, mirrored: bool) -> dict[str, Any]:
    """Fields of a result that a refinement determines.

    Parameters
    ----------
    refinement : Refinement
    meta : BundleMeta
        Gives the model's own uncertainty and the simulated pixel.
    period_deg : float
        Rotation that the crystal's symmetry leaves undetermined [deg].
    mirrored : bool
        The camera shows the pattern mirrored.
    """
    at, std = refinement.best.parameters, refinement.covariance.std
    scale = at.pixel_mrad / simulated_pixel_mrad(meta)
    rotation = at.rotation_deg % period_deg
    unsure = [effect.thickness_std_nm for effect in refinement.effects]
    low_nm, high_nm = meta.trained.thickness_nm  # what is not known at all is known to lie somewhere in between
    std_nm, std_effects = (min(known, high_nm - low_nm) for known in (std.thickness_nm, float(np.linalg.norm(unsure))))
    return {
        "thickness_nm": thickness(at.thickness_nm, std_nm, meta, std_effects=std_effects),
        **_mistilt(refinement, mirrored=mirrored),
        "scale": estimate(scale, scale * std.pixel_percent / 100),
        "pixel_mrad": estimate(at.pixel_mrad, at.pixel_mrad * std.pixel_percent / 100),
        "rotation_deg": RotationEstimate(
            value=rotation,
            std=std.rotation_deg,
            interval_90=interval(rotation, std.rotation_deg),
            modulo_deg=period_deg,
        ),
        "convergence_mrad": estimate(at.convergence_mrad, std.convergence_mrad),
        "blur_mrad": estimate(at.blur_mrad, std.blur_mrad),
        "ellipse_plus_percent": estimate(at.ellipse_percent[0], std.ellipse_plus_percent),
        "ellipse_cross_percent": estimate(at.ellipse_percent[1], std.ellipse_cross_percent),
        "effects": [EffectEstimate(**effect._asdict()) for effect in refinement.effects],
        "misfit": refinement.best.misfit,
    }


def simulated_pixel_mrad(meta: BundleMeta) -> float:
    """Pixel of the simulated stack, which counts as scale 1 [mrad]."""
    return 2 * meta.max_angle_mrad / meta.stack_pixels


def thickness(
    value_nm: float, std_statistical: float, meta: BundleMeta, *, std_effects: float | None = None
) -> ThicknessEstimate:
    """A thickness with the parts of its uncertainty.

    Parameters
    ----------
    value_nm, std_statistical : float
        Value, and standard deviation from noise and residuals of this pattern [nm].
    meta : BundleMeta
        Gives the model's own uncertainty.
    std_effects : float, optional
        Standard deviation from what may have happened to the picture [nm]; left out where it was not asked.
    """
    std_model = meta.model_error.std_at(value_nm)
    std = float(np.linalg.norm([std_statistical, std_effects or 0.0, std_model]))
    low, high = value_nm - NORMAL_90 * std, value_nm + NORMAL_90 * std
    return ThicknessEstimate(
        value=value_nm,
        std=std,
        interval_90=(max(0.0, low), high),
        std_statistical=std_statistical,
        std_effects=std_effects,
        std_model=std_model,
    )


def _mistilt(refinement: Refinement, *, mirrored: bool) -> dict[str, Any]:
    """The mistilt as the image shows it; what the fit knows is the vector in the crystal frame, and the rotation."""
    at = refinement.best.parameters
    turn = np.stack([at.to_image(np.array(axis), mirrored=mirrored) for axis in ((1.0, 0.0), (0.0, 1.0))], axis=1)
    vector = at.mistilt_in_image(mirrored=mirrored)
    # Where the tilt is large, so is the effect of the rotation's error on its direction in the image.
    across = np.deg2rad(1.0) * np.array([-vector[1], vector[0]])
    slopes = np.column_stack([turn, across])
    covariance = slopes @ refinement.covariance.of("mistilt_x_mrad", "mistilt_y_mrad", "rotation_deg") @ slopes.T
    size = float(np.hypot(*vector))
    return {
        "mistilt_x_mrad": estimate(float(vector[0]), float(np.sqrt(covariance[0, 0]))),
        "mistilt_y_mrad": estimate(float(vector[1]), float(np.sqrt(covariance[1, 1]))),
        "mistilt_covariance_mrad2": tuple(tuple(float(x) for x in row) for row in covariance),
        **_polar(vector, size, covariance),
    }


def _polar(vector: np.ndarray, size: float, covariance: np.ndarray) -> dict[str, Estimate | None]:
    """Magnitude, and azimuth where the tilt is two standard errors from zero.

    Parameters
    ----------
    vector : float array, shape (2,)
        Mistilt (x, y) in the image [mrad].
    size : float
        Its length [mrad].
    covariance : float array, shape (2, 2)
        Of the vector [mrad²].
    """
    radial = vector / size if size > 0 else np.array([1.0, 0.0])
    std = float(np.sqrt(radial @ covariance @ radial))
    low, high = size - NORMAL_90 * std, size + NORMAL_90 * std
    azimuth = None
    if size >= 2 * std and size > 0:
        tangential = np.array([-radial[1], radial[0]])
        std_deg = float(np.rad2deg(np.sqrt(tangential @ covariance @ tangential) / size))
        azimuth = estimate(float(np.rad2deg(np.arctan2(vector[1], vector[0])) % 360), std_deg)
    return {
        "mistilt_mrad": Estimate(value=size, std=std, interval_90=(max(0.0, low), high)),
        "mistilt_azimuth_deg": azimuth,
    }


def network_values(answers: NetworkAnswers, meta: BundleMeta, *, convergence_mrad: float) -> dict[str, Any]:
    """Fields of a result when the networks alone have spoken."""
    best, pixel_std, reference = answers.candidates[0], answers.pixel_std_mrad, simulated_pixel_mrad(meta)
    return {
        "thickness_nm": thickness(best.value, best.std, meta),
        **_network_mistilt(answers),
        "scale": estimate(answers.pixel_mrad / reference, None if pixel_std is None else pixel_std / reference),
        "pixel_mrad": estimate(answers.pixel_mrad, pixel_std),
        "rotation_deg": None,
        "convergence_mrad": estimate(convergence_mrad, None),
        **dict.fromkeys(("blur_mrad", "ellipse_plus_percent", "ellipse_cross_percent", "effects", "misfit")),
    }


def _network_mistilt(answers: NetworkAnswers) -> dict[str, Any]:
    """Size of the mistilt, and its vector in the image where the mistilt network tells the direction."""
    size, direction = answers.mistilt, answers.direction
    found: dict[str, Any] = {"mistilt_mrad": estimate(size.value, size.std), "mistilt_azimuth_deg": None}
    names = ("mistilt_x_mrad", "mistilt_y_mrad", "mistilt_covariance_mrad2")
    if direction is None:
        return found | dict.fromkeys(names)
    along = np.array([np.cos(direction.azimuth), np.sin(direction.azimuth)])
    axes = np.column_stack([along, [-along[1], along[0]]])
    covariance = axes @ np.diag([size.std**2, (size.value * direction.std) ** 2]) @ axes.T
    x, y = (estimate(float(size.value * along[axis]), float(np.sqrt(covariance[axis, axis]))) for axis in (0, 1))
    if direction.std <= AZIMUTH_KNOWN_RAD and size.value > 0:
        found["mistilt_azimuth_deg"] = estimate(
            float(np.rad2deg(direction.azimuth) % 360), float(np.rad2deg(direction.std))
        )
    return found | dict(zip(names, (x, y, tuple(tuple(float(v) for v in row) for row in covariance)), strict=True))


def candidates(answers: NetworkAnswers | None) -> list[Candidate]:
    """Thickness candidates of the network, likeliest first; none without networks."""
    if answers is None:
        return []
    return [Candidate(value=peak.value, probability=peak.probability) for peak in answers.candidates]


def class_probabilities(
    answers: NetworkAnswers | None, networks: dict[str, TrainedNetwork]
) -> dict[str, ClassProbabilities]:
    """The networks' distributions, by task; none without networks."""
    if answers is None:
        return {}
    return {
        task: ClassProbabilities(
            class_values=networks[task].class_values.tolist(), probability=answers.probabilities[task].tolist()
        )
        for task in sorted(networks)
    }
