"""What a microscope file says about its pattern: pixel size, beam energy, convergence angle.

The dictionaries are RosettaSciIO's: `axes` (one per array axis), `metadata` (HyperSpy's layout) and
`original_metadata`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

from pacbed.crystal.electron import mrad_per_inverse_a
from pacbed.errors import PatternError

MRAD_PER_UNIT = {"mrad": 1.0, "millirad": 1.0, "rad": 1e3, "µrad": 1e-3, "μrad": 1e-3, "urad": 1e-3}
PER_NM_PER_UNIT = {  # spatial frequencies 1/d
    "1/nm": 1.0,
    "1/å": 10.0,
    "1/a": 10.0,
    "1/angstrom": 10.0,
    "1/pm": 1e3,
    "1/m": 1e-9,
}
DM_CONVERGENCE = ("EELS.Convergence semi-angle (mrad)", "EELS.Experimental Conditions.Convergence semi-angle (mrad)")


@dataclass(frozen=True)
class Calibration:
    """What the file states; None where it is silent.

    Attributes
    ----------
    pixel_mrad : float or None
        Pixel size [mrad].
    energy_kev : float or None
        Beam energy [keV].
    convergence_mrad : float or None
        Semi-convergence angle [mrad].
    """

    pixel_mrad: float | None = None
    energy_kev: float | None = None
    convergence_mrad: float | None = None


NOTHING_STATED = Calibration()


def image_calibration(image: Mapping[str, Any], axes: Sequence[Mapping[str, Any]]) -> Calibration:
    """Calibration of an image as RosettaSciIO reads it, with the axes of its pattern; see `read_calibration`."""
    return read_calibration(axes, image["metadata"], image.get("original_metadata", {}))


def read_calibration(
    axes: Sequence[Mapping[str, Any]], metadata: Mapping[str, Any], original: Mapping[str, Any]
) -> Calibration:
    """Gather the calibration of one image from RosettaSciIO's dictionaries.

    Parameters
    ----------
    axes : sequence of mapping
        The two axes of the pattern, with ``scale`` and ``units``; any other number of axes gives no pixel size.
    metadata : mapping
        In HyperSpy's layout.
    original : mapping
        As the microscope wrote it; searched for the tags of Gatan and Velox where `metadata` is silent.

    Raises
    ------
    PatternError
        When both axes are calibrated as angles and the pixel is not square.
    """
    energy_kev = _energy_kev(metadata, original)
    return Calibration(_pixel_mrad(axes, energy_kev), energy_kev, _convergence_mrad(metadata, original))


def _energy_kev(metadata: Mapping[str, Any], original: Mapping[str, Any]) -> float | None:
    kev = _number(_look_up(metadata, "Acquisition_instrument.TEM.beam_energy"))
    if kev is not None:
        return kev
    volts = _first(original, ["Microscope Info.Voltage", "Optics.AccelerationVoltage"])
    return None if volts is None else volts / 1e3


def _convergence_mrad(metadata: Mapping[str, Any], original: Mapping[str, Any]) -> float | None:
    mrad = _number(_look_up(metadata, "Acquisition_instrument.TEM.convergence_angle"))
    if mrad is not None:
        return mrad
    rad = _first(original, ["Optics.BeamConvergence"])  # Velox; RosettaSciIO does not map it
    return _first(original, DM_CONVERGENCE) if rad is None else rad * 1e3


def _pixel_mrad(axes: Sequence[Mapping[str, Any]], energy_kev: float | None) -> float | None:
    sizes = [_axis_mrad(axis, energy_kev) for axis in axes]
    if len(sizes) != 2 or sizes[0] is None or sizes[1] is None:
        return None
    if abs(sizes[0] - sizes[1]) > 0.01 * max(sizes[0], sizes[1]):
        raise PatternError(f"pixel size: got {sizes[1]:.4g} x {sizes[0]:.4g} mrad, accepted: square pixels")
    return 0.5 * (sizes[0] + sizes[1])


def _axis_mrad(axis: Mapping[str, Any], energy_kev: float | None) -> float | None:
    unit = _plain_unit(axis.get("units"))
    scale = _number(axis.get("scale"))
    if scale is None:
        return None
    if unit in MRAD_PER_UNIT:
        return scale * MRAD_PER_UNIT[unit]
    if unit in PER_NM_PER_UNIT and energy_kev is not None:
        return scale * PER_NM_PER_UNIT[unit] * 0.1 * mrad_per_inverse_a(1e3 * energy_kev)
    return None


def _plain_unit(unit: object) -> str:
    text = str(unit or "").strip().lower().replace(" ", "").replace("^", "").replace("**", "")
    text = text.replace("⁻¹", "-1").replace("\N{ANGSTROM SIGN}".lower(), "å")
    return f"1/{text[:-2]}" if text.endswith("-1") else text


def _first(original: Mapping[str, Any], paths: Iterable[str]) -> float | None:
    for path in paths:
        found = _number(_search(original, path))
        if found is not None:
            return found
    return None


def _look_up(tree: Any, path: str) -> Any:
    """Value at a dotted path, or None."""
    for key in path.split("."):
        if not isinstance(tree, Mapping) or key not in tree:
            return None
        tree = tree[key]
    return tree


def _search(tree: Any, path: str) -> Any:
    """Value at a dotted path below any branch: Gatan files hold one tree per image."""
    found = _look_up(tree, path)
    if found is not None or not isinstance(tree, Mapping):
        return found
    for branch in tree.values():
        found = _search(branch, path)
        if found is not None:
            return found
    return None


def _number(value: object) -> float | None:
    """A positive finite number, or None: zero stands for "not set" in microscope files."""
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None
    return number if isfinite(number) and number > 0 else None
