"""What the service found, small enough to be looked at, with the way to all of it."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from pacbed_client.errors import InputError, ServiceError
from pacbed_client.saving import AnyPath, write_new
from pacbed_client.service import LOOKUPS, NO_JSON, Service

DONE, REFUSED, BAD = 0, 1, 2
VERDICTS = ("ok", "doubtful", "refused")
FINE = 0.1  # standard deviations below it are shown with two decimals


class Candidate(NamedTuple):
    """A thickness [nm] that the network thought of, and how likely it found it."""

    thickness_nm: float
    probability: float


@dataclass(frozen=True)
class LookupResult:
    """A look-up.

    Attributes
    ----------
    id : str
        Of the look-up, by which the service knows it.
    name : str
        Of the pattern.
    bundle : str
        That answered.
    thickness_nm, std_nm : float or None
        Thickness and its standard deviation [nm]; None where there is none.
    verdict : str
        "ok", "doubtful" or "refused".
    reasons : tuple of str
        What speaks against the result.
    candidates : tuple of Candidate
        Of the thickness network alone, likeliest first.
    notes : tuple of str
        What the client did to the pattern before it was sent.
    result : dict
        Everything, as `pacbed predict --json` prints it.
    service : Service or None
        That answered; None for a result read from a file.
    """

    id: str
    name: str
    bundle: str
    thickness_nm: float | None
    std_nm: float | None
    verdict: str
    reasons: tuple[str, ...] = ()
    candidates: tuple[Candidate, ...] = ()
    notes: tuple[str, ...] = ()
    result: dict[str, Any] = field(default_factory=dict, repr=False)
    service: Service | None = field(default=None, repr=False)

    @property
    def status(self) -> int:
        """0 done (also doubtful), 1 refused."""
        return REFUSED if self.verdict == "refused" else DONE

    def __str__(self) -> str:
        """One line, as `pacbed predict` prints it."""
        said = []
        if self.thickness_nm is not None:
            said.append(with_error(self.result["thickness_nm"]) + " nm")
        if self.result.get("mistilt_mrad") is not None:
            azimuth = self.result.get("mistilt_azimuth_deg")
            towards = "" if azimuth is None else f" towards {azimuth['value']:.0f}°"
            said.append(f"mistilt {with_error(self.result['mistilt_mrad'])} mrad{towards}")
        said.append(": ".join([self.verdict] + (["; ".join(self.reasons)] if self.reasons else [])))
        return self.name + ": " + ", ".join(said)

    def sheet(self) -> np.ndarray:
        """The sheet, drawn by the service: uint8 array of shape (y, x, RGB).

        Raises
        ------
        ServiceError
            It was asked without a sheet.
        UnreachableError, InputError
        """
        try:
            found = np.load(io.BytesIO(self._part("sheet.npy")), allow_pickle=False)
        except ValueError:
            raise ServiceError(NO_JSON, "a sheet that is no array") from None
        return np.asarray(found)

    def save_sheet(self, path: AnyPath, *, overwrite: bool = False) -> Path:
        """Save the sheet as PNG.

        Raises
        ------
        InputError
            Something is there already.
        ServiceError
            It was asked without a sheet.
        UnreachableError
        """
        return write_new(path, self._part("sheet.png"), overwrite=overwrite)

    def save_crate(self, path: AnyPath, *, overwrite: bool = False) -> Path:
        """Save pattern, request, result and sheet as an RO-Crate, from which the look-up can be repeated.

        Raises
        ------
        InputError
            Something is there already.
        ServiceError, UnreachableError
        """
        return write_new(path, self._part("crate.zip"), overwrite=overwrite)

    def save_json(self, path: AnyPath, *, overwrite: bool = False) -> Path:
        """Save the result, as `pacbed predict` writes it.

        Raises
        ------
        InputError
            Something is there already.
        """
        text = json.dumps(self.result, indent=2, ensure_ascii=False) + "\n"
        return write_new(path, text.encode("utf-8"), overwrite=overwrite)

    def _part(self, name: str) -> bytes:
        if self.service is None:
            raise InputError("service: got none, accepted: a result that was just looked up")
        return self.service.get(f"{LOOKUPS}/{self.id}/{name}")


def read_answer(answer: dict[str, Any], notes: tuple[str, ...] = (), service: Service | None = None) -> LookupResult:
    """The result in an answer of the service.

    Parameters
    ----------
    answer : dict
        Of ``POST /lookups`` or ``GET /lookups/{id}``.
    notes : tuple of str
        What the client did to the pattern.
    service : Service, optional
        That answered.

    Raises
    ------
    ServiceError
        It is no such answer: a number must not come from something misunderstood.
    """
    try:
        result = answer["result"]
        thickness = result["thickness_nm"]
        if result["verdict"] not in VERDICTS:
            raise ValueError(result["verdict"])
        return LookupResult(
            id=str(answer["id"]), name=str(answer["input"]), bundle=str(answer["bundle"]),
            thickness_nm=None if thickness is None else float(thickness["value"]),
            std_nm=None if thickness is None or thickness["std"] is None else float(thickness["std"]),
            verdict=result["verdict"], reasons=tuple(str(one) for one in result["reasons"]),
            candidates=tuple(Candidate(one["value"], one["probability"]) for one in result["thickness_candidates"]),
            notes=notes, result=result, service=service,
        )  # fmt: skip
    except (KeyError, TypeError, ValueError) as error:
        what = f"{type(error).__name__} {error}"
        raise ServiceError(NO_JSON, f"a look-up that is not understood ({what}); is the client too old?") from None


def with_error(estimate: dict[str, Any]) -> str:
    """Value and standard deviation with the decimals that mean something, such as ``30.8 ± 0.6``."""
    value, std = estimate["value"], estimate.get("std")
    if std is None:
        return f"{value:.2f}"
    digits = 1 if std >= FINE else 2
    return f"{value:.{digits}f} ± {std:.{digits}f}"
