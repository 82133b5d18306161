"""What is asked of a pattern: which bundle, and how the pattern was recorded."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from math import isfinite
from typing import Any, Sequence

from pacbed_client.errors import InputError, bad_value

NUMBERS = ("voltage_kv", "convergence_mrad", "energy_kev", "pixel_mrad")
TEXTS = ("bundle", "crystal", "dataset")


@dataclass(frozen=True)
class Question:
    """Fields of a look-up; None leaves a value to the file, or to the service.

    Attributes
    ----------
    bundle : str, optional
        Name of a bundle, or the beginning of its hash; or else:
    crystal : str, optional
        Any name of the crystal.
    axis : str or sequence of int, optional
        Zone axis, such as ``"0,0,1"``.
    voltage_kv : float, optional
        Acceleration voltage [kV] by which the bundle of a crystal is chosen.
    convergence_mrad : float, optional
        Semi-convergence angle [mrad]; needed where the file does not state it.
    energy_kev : float, optional
        Beam energy [keV].
    pixel_mrad : float, optional
        Pixel size [mrad] of the pattern as it is given, before any binning.
    dataset : str, optional
        Which array of a file that holds several.
    mirrored : bool, optional
        The camera mirrors; by default both are tried.
    refine : bool
        Least squares; False asks the networks alone.

    Raises
    ------
    InputError
        A value cannot be right, or no bundle is named.
    """

    bundle: str | None = None
    crystal: str | None = None
    axis: str | Sequence[int] | None = None
    voltage_kv: float | None = None
    convergence_mrad: float | None = None
    energy_kev: float | None = None
    pixel_mrad: float | None = None
    dataset: str | None = None
    mirrored: bool | None = None
    refine: bool = True

    def __post_init__(self) -> None:
        for name in NUMBERS:
            _check_number(name, getattr(self, name))
        for name in TEXTS:
            value = getattr(self, name)
            if value is not None and (not isinstance(value, str) or not value.strip()):
                raise bad_value(name, value, "a name")
        if self.bundle is None and (self.crystal is None or self.voltage_kv is None):
            raise InputError("bundle: got none, accepted: a name, or crystal together with voltage_kv")
        if self.bundle is not None and self.crystal is not None:
            raise bad_value("crystal", self.crystal, "either a bundle or a crystal")
        if self.axis is not None and not re.fullmatch(r"\[?[-+0-9, ]+\]?", self._axis_text()):
            raise bad_value("axis", self.axis, "three or four whole numbers such as 0,0,1")
        for name in ("mirrored", "refine"):
            if getattr(self, name) not in (True, False, None):
                raise bad_value(name, getattr(self, name), "True or False")

    def fields(self, binning: int = 1) -> dict[str, str]:
        """The same as texts of a form.

        Parameters
        ----------
        binning : int
            Pixels along an edge that were joined, which makes a pixel so much larger.
        """
        given: dict[str, Any] = {one.name: getattr(self, one.name) for one in fields(self)}
        if self.axis is not None:
            given["axis"] = self._axis_text()
        if self.pixel_mrad is not None:
            given["pixel_mrad"] = float(self.pixel_mrad) * binning
        given["mirrored"] = None if self.mirrored is None else bool(self.mirrored)
        given["refine"] = bool(self.refine)
        return {name: _text(value) for name, value in given.items() if value is not None}

    def _axis_text(self) -> str:
        axis = () if self.axis is None else self.axis
        return axis.strip() if isinstance(axis, str) else ",".join(str(one) for one in axis)


def question_of(asked: dict[str, Any]) -> Question:
    """The question of keyword arguments.

    Raises
    ------
    InputError
        A name is not among the fields of `Question`, or a value cannot be right.
    """
    known = [one.name for one in fields(Question)]
    for name in asked:
        if name not in known:
            raise bad_value("argument", name, ", ".join(known))
    return Question(**asked)


def _check_number(name: str, value: Any) -> None:
    if value is None:
        return
    try:
        number = float(value) if not isinstance(value, (bool, str)) else -1.0
    except (TypeError, ValueError):
        number = -1.0
    if not isfinite(number) or number <= 0:
        raise bad_value(name, value, "a number above 0")


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    return str(value).lower() if isinstance(value, bool) else repr(float(value))
