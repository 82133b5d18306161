"""What a file says of its pattern: pixel size, beam energy, semi-convergence angle.

The dictionaries are RosettaSciIO's: `metadata` in HyperSpy's layout, and `original` as the microscope wrote it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite, isnan
from typing import Any, NamedTuple

from pacbed.analysis.recording.stored import Axis
from pacbed.analysis.recording.units import mrad_from_per_nm, parse_unit

DM_CONVERGENCE = ("EELS.Convergence semi-angle (mrad)", "EELS.Experimental Conditions.Convergence semi-angle (mrad)")
DM_VOLTAGE, VELOX_VOLTAGE, BERKELEY_VOLTAGE = "Microscope Info.Voltage", "Optics.AccelerationVoltage", "voltage"
PRISMATIC_ENERGY, PRISMATIC_CONVERGENCE = "simulation_parameters.E0", "simulation_parameters.probeSemiangle"
HIGHEST_KEV = 5e3  # no microscope has more: a larger number is in volts
LOWEST_MRAD = 0.2  # no focused probe has less, and none more than 200 mrad: a smaller number is in radians
OBLONG_MAX = 1.05  # longer over shorter edge of a pixel that is used as if it were square
OBLONG_TOLD = 1.005
SQUARE = 1.02  # longer over shorter step of a scan that is used as if both were one
SAME_PIXEL = 0.01  # two statements of one pixel size may differ by their rounding


@dataclass(frozen=True)
class Calibration:
    """What the file states; None where it is silent.

    Attributes
    ----------
    pixel_mrad : float or None
        Pixel size [mrad], the mean of both edges; None also for a spatial frequency without a beam energy.
    energy_kev : float or None
        Beam energy [keV].
    convergence_mrad : float or None
        Semi-convergence angle [mrad].
    pixel_per_nm : float or None
        Pixel size [1/nm], where it is stated as a spatial frequency.
    oblong : float
        Longer over shorter edge of a pixel.
    trouble : str
        Why the stated pixel size cannot be used, one line; empty where it can, or where there is none.
    """

    pixel_mrad: float | None = None
    energy_kev: float | None = None
    convergence_mrad: float | None = None
    pixel_per_nm: float | None = None
    oblong: float = 1.0
    trouble: str = ""

    def pixel_at(self, energy_kev: float | None) -> float | None:
        """Pixel size [mrad] for a beam energy [keV]: a spatial frequency becomes another angle at another energy."""
        if self.pixel_per_nm is None or energy_kev is None:
            return self.pixel_mrad
        return mrad_from_per_nm(self.pixel_per_nm, energy_kev)


NOTHING_STATED = Calibration()


class _Pixel(NamedTuple):
    """Pixel size: at most one of `mrad` and `per_nm` is there."""

    mrad: float | None = None
    per_nm: float | None = None
    oblong: float = 1.0
    trouble: str = ""

    @property
    def size(self) -> float | None:
        return self.per_nm if self.mrad is None else self.mrad


def read_calibration(axes: Sequence[Axis], metadata: Mapping[str, Any], original: Mapping[str, Any]) -> Calibration:
    """Gather the calibration of one pattern.

    Parameters
    ----------
    axes : sequence of Axis
        The two axes of the pattern; any other number of axes gives no pixel size.
    metadata : mapping
        In HyperSpy's layout.
    original : mapping
        As the microscope wrote it; searched for the tags of Gatan, Velox, py4DSTEM and Prismatic where the rest is
        silent.
    """
    energy_kev = _energy_kev(metadata, original)
    pixel = _first_pixel(axes, original)
    mrad = pixel.mrad
    if pixel.per_nm is not None and energy_kev is not None:
        mrad = mrad_from_per_nm(pixel.per_nm, energy_kev)
    convergence = _convergence_mrad(metadata, original)
    return Calibration(mrad, energy_kev, convergence, pixel.per_nm, pixel.oblong, pixel.trouble)


def read_step(axes: Sequence[Axis]) -> float | None:
    """Step of scan axes [nm]; None where a file is silent, or means something else than a length."""
    steps = []
    for axis in axes:
        unit = parse_unit(axis.unit)
        if unit is None or unit.kind != "length" or axis.scale is None or not abs(axis.scale) > 0:
            return None
        steps.append(abs(axis.scale) * unit.factor)
    same = len(steps) > 0 and max(steps) <= SQUARE * min(steps)
    return sum(steps) / len(steps) if same else None


def _energy_kev(metadata: Mapping[str, Any], original: Mapping[str, Any]) -> float | None:
    stated = [_number(_look_up(metadata, f"Acquisition_instrument.{kind}.beam_energy")) for kind in ("TEM", "SEM")]
    found = next((value for value in stated if value is not None), None)
    if found is None:
        found = _first(original, [DM_VOLTAGE, VELOX_VOLTAGE, PRISMATIC_ENERGY, f"microscope.{BERKELEY_VOLTAGE}"])
    return found if found is None or found < HIGHEST_KEV else found / 1e3


def _convergence_mrad(metadata: Mapping[str, Any], original: Mapping[str, Any]) -> float | None:
    found = _number(_look_up(metadata, "Acquisition_instrument.TEM.convergence_angle"))
    if found is None:  # Velox states radians, and RosettaSciIO does not map it
        found = _first(original, ["Optics.BeamConvergence", *DM_CONVERGENCE, PRISMATIC_CONVERGENCE])
    return found if found is None or found >= LOWEST_MRAD else found * 1e3


def _first_pixel(axes: Sequence[Axis], original: Mapping[str, Any]) -> _Pixel:
    """Pixel size of the axes, or of py4DSTEM's calibration, which has to agree with them."""
    pixel = _pixel(axes) if len(axes) == 2 else _Pixel()
    noted = _look_up(original, "calibration")
    if isinstance(noted, Mapping) and "Q_pixel_size" in noted:
        step = Axis(unit=noted.get("Q_pixel_units"), scale=_float(noted["Q_pixel_size"]))
        other = _pixel([step, step])
        if pixel.size is None and not pixel.trouble:
            return other
        if pixel.size and other.size:
            same_kind = (pixel.mrad is None) is (other.mrad is None)
            if same_kind and abs(other.size / pixel.size - 1) > SAME_PIXEL:
                return _Pixel(trouble=f"{pixel.size:.4g} by the axes and {other.size:.4g} by the calibration")
    return pixel


def _pixel(axes: Sequence[Axis]) -> _Pixel:
    """Pixel size of two axes; lengths and pixels say nothing about angles."""
    units = [parse_unit(axis.unit) for axis in axes]
    unread = [str(axis.unit) for axis, unit in zip(axes, units, strict=True) if unit is None]
    if unread:
        return _Pixel(trouble=f"a number in the unit {unread[0][:40]!r}")
    known = [unit for unit in units if unit is not None and unit.is_diffraction]
    if not known:
        return _Pixel()
    edges = [abs(axis.scale) if axis.scale and isfinite(axis.scale) else 0.0 for axis in axes]
    if any(axis.scale is not None and isnan(axis.scale) for axis in axes):
        return _Pixel(trouble="an axis whose steps are not uniform")
    if max(edges) == 0:  # not set
        return _Pixel()
    shown = " by ".join(f"{edge:.4g} {axis.unit or '(no unit)'}" for edge, axis in zip(edges, axes, strict=True))
    if len(known) < 2 or known[0].kind != known[1].kind or min(edges) == 0:
        return _Pixel(trouble=shown)
    edges = [edge * unit.factor for edge, unit in zip(edges, known, strict=True)]
    oblong = max(edges) / min(edges)
    if oblong > OBLONG_MAX:
        return _Pixel(trouble=f"{shown}, which is not square within {100 * (OBLONG_MAX - 1):.0f} %")
    mean = 0.5 * sum(edges)
    if known[0].kind == "angle":
        return _Pixel(mrad=mean, oblong=oblong)
    return _Pixel(per_nm=mean, oblong=oblong)


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


def _float(value: object) -> float | None:
    try:
        return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None


def _number(value: object) -> float | None:
    """A positive finite number, or None: zero stands for "not set" in microscope files."""
    number = _float(value)
    return number if number is not None and isfinite(number) and number > 0 else None
