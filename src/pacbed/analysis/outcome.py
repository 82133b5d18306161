"""From what was fitted or classified to the numbers of a result, in the frame of the image."""

from __future__ import annotations

from typing import Any

import numpy as np

from pacbed.analysis.fit.refinement import Refinement
from pacbed.analysis.networks import Reading
from pacbed.analysis.result import (
    NORMAL_90,
    Candidate,
    ClassProbabilities,
    Estimate,
    RotationEstimate,
    ThicknessEstimate,
    estimate,
    interval,
)
from pacbed.bundle.meta import BundleMeta
from pacbed.networks.trained import TrainedNetwork
from pacbed.patterns import Geometry


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
    at, std = refinement.best.parameters, np.sqrt(np.maximum(np.diag(refinement.covariance), 0))
    simulated = 2 * meta.max_angle_mrad / meta.stack_pixels
    rotation = at.rotation_deg % period_deg
    return {
        "thickness_nm": thickness(at.thickness_nm, float(std[0]), meta),
        **_mistilt(refinement, mirrored=mirrored),
        "scale": estimate(at.pixel_mrad / simulated, at.pixel_mrad / simulated * float(std[5]) / 100),
        "pixel_mrad": estimate(at.pixel_mrad, at.pixel_mrad * float(std[5]) / 100),
        "rotation_deg": RotationEstimate(
            value=rotation, std=float(std[6]), interval_90=interval(rotation, float(std[6])), modulo_deg=period_deg
        ),
        "convergence_mrad": estimate(at.convergence_mrad, float(std[7])),
        "blur_mrad": estimate(at.blur_mrad, float(std[8])),
        "misfit": refinement.best.misfit,
    }


def thickness(value_nm: float, std_statistical: float, meta: BundleMeta) -> ThicknessEstimate:
    """Thickness [nm] with both parts of its uncertainty."""
    std_model = meta.model_error.std_at(value_nm)
    std = float(np.hypot(std_statistical, std_model))
    low, high = value_nm - NORMAL_90 * std, value_nm + NORMAL_90 * std
    return ThicknessEstimate(
        value=value_nm,
        std=std,
        interval_90=(max(0.0, low), high),
        std_statistical=std_statistical,
        std_model=std_model,
    )


def _mistilt(refinement: Refinement, *, mirrored: bool) -> dict[str, Any]:
    at = refinement.best.parameters
    frame = Geometry((1, 1), 1.0, (0.0, 0.0), at.rotation_deg, mirrored)
    turn = np.stack([frame.to_image(np.array([1.0, 0.0])), frame.to_image(np.array([0.0, 1.0]))], axis=1)
    vector = frame.to_image(np.array(at.mistilt_mrad))
    # Where the tilt is large, so is the effect of the rotation's error on its direction in the image.
    across = np.deg2rad(1.0) * np.array([-vector[1], vector[0]])
    slopes = np.column_stack([turn, across])
    covariance = slopes @ refinement.covariance[np.ix_([1, 2, 6], [1, 2, 6])] @ slopes.T
    size = float(np.hypot(*vector))
    return {
        "mistilt_x_mrad": estimate(float(vector[0]), float(np.sqrt(covariance[0, 0]))),
        "mistilt_y_mrad": estimate(float(vector[1]), float(np.sqrt(covariance[1, 1]))),
        "mistilt_covariance_mrad2": tuple(tuple(float(x) for x in row) for row in covariance),
        **_polar(vector, size, covariance),
    }


def _polar(vector: np.ndarray, size: float, covariance: np.ndarray) -> dict[str, Estimate | None]:
    """Magnitude, and azimuth where the tilt is two standard errors from zero."""
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


def network_values(reading: Reading, meta: BundleMeta, *, convergence_mrad: float) -> dict[str, Any]:
    """Fields of a result when the networks alone have spoken."""
    best = reading.candidates[0]
    simulated = 2 * meta.max_angle_mrad / meta.stack_pixels
    return {
        "thickness_nm": thickness(best.value, best.std, meta),
        "mistilt_mrad": estimate(reading.mistilt.value, reading.mistilt.std),
        "mistilt_azimuth_deg": None,
        "mistilt_x_mrad": None,
        "mistilt_y_mrad": None,
        "mistilt_covariance_mrad2": None,
        "scale": estimate(reading.pixel_mrad / simulated, None),
        "pixel_mrad": estimate(reading.pixel_mrad, None),
        "rotation_deg": None,
        "convergence_mrad": estimate(convergence_mrad, None),
        "blur_mrad": None,
        "misfit": None,
    }


def candidates(reading: Reading) -> list[Candidate]:
    """Thickness candidates of the network, likeliest first."""
    return [Candidate(value=peak.value, probability=peak.probability) for peak in reading.candidates]


def class_probabilities(reading: Reading, networks: dict[str, TrainedNetwork]) -> dict[str, ClassProbabilities]:
    """The networks' distributions, by task."""
    return {
        task: ClassProbabilities(
            class_values=networks[task].class_values.tolist(), probability=reading.probabilities[task].tolist()
        )
        for task in sorted(networks)
    }
