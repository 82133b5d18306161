"""From an array or a file to a thickness: `lookup`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, NamedTuple, Union

import numpy as np

from pacbed_client.errors import ClientError, InputError, bad_value
from pacbed_client.prepare import prepare
from pacbed_client.question import Question, question_of
from pacbed_client.result import LookupResult, read_answer
from pacbed_client.service import HERE, Service, Where, service_of

UNNAMED = "pattern.npy"
MEBI = 2**20
CHECKED_MIB = 16  # a file above this is held against the service's limit before it travels
PatternLike = Union[str, "os.PathLike[str]", np.ndarray]


class Sending(NamedTuple):
    """A pattern as it travels.

    Attributes
    ----------
    name : str
        File name.
    content : bytes
        Of the file.
    binning : int
        Pixels along an edge that were joined.
    notes : tuple of str
        What was done to it.
    """

    name: str
    content: bytes
    binning: int = 1
    notes: tuple[str, ...] = ()


def lookup(
    pattern: PatternLike, service: Where = HERE, *, sheet: bool = True, name: str | None = None, **asked: Any
) -> LookupResult:
    """Ask for the thickness of a pattern.

    Parameters
    ----------
    pattern : path, or array of shape (y, x)
        The microscope's own file, or counts. Arrays and NPY files of more than 512 pixels along an edge are binned,
        which `LookupResult.notes` says.
    service : Service, str or path
        A service, its URL, or the file that `pacbed serve --token-file` wrote.
    sheet : bool
        Let the service draw the sheet.
    name : str, optional
        What an array is called in the answer.
    **asked
        Fields of `Question`: `bundle`, or `crystal`, `axis` and `voltage_kv`; `convergence_mrad`, `energy_kev`,
        `pixel_mrad`, `dataset`, `mirrored`, `refine`.

    Returns
    -------
    LookupResult

    Raises
    ------
    InputError
        Something is not accepted; nothing was sent.
    ServiceError
        The service refuses the request, or is busy for too long.
    UnreachableError
        It cannot be reached, is not trusted, or does not answer in time.
    """
    question = question_of(asked)
    known = service_of(service)
    return ask(known, pack(pattern, name, known), question, sheet=sheet)


def ask(service: Service, sending: Sending, question: Question, *, sheet: bool) -> LookupResult:
    """Send a pattern that is packed already; arguments and errors are those of `lookup`."""
    fields: dict[str, str] = {**question.fields(sending.binning), "sheet": "link" if sheet else "none"}
    return read_answer(service.look_up(fields, sending.name, sending.content), sending.notes, service)


def pack(pattern: PatternLike, name: str | None, service: Service) -> Sending:
    """Make a pattern ready to be sent: a file as it is, an array or NPY file checked and binned.

    Parameters
    ----------
    pattern : path, or array of shape (y, x)
    name : str or None
        What an array is called.
    service : Service
        Is asked for its limit before a large file is sent.

    Raises
    ------
    InputError
        It is no pattern, cannot be read, or is too large.
    ServiceError, UnreachableError
    """
    if not isinstance(pattern, (str, os.PathLike)):
        return _packed(pattern, name or UNNAMED)
    file = Path(pattern)
    try:
        if file.suffix.lower() == ".npy":
            array = np.load(str(file), mmap_mode="r", allow_pickle=False)
            if array.ndim == 2:
                return _packed(array, name or file.name)
        size_mib = file.stat().st_size / MEBI
        if size_mib > CHECKED_MIB:
            _check_size(file, size_mib, service)
        return Sending(name or file.name, file.read_bytes())
    except ClientError:
        raise
    except (OSError, ValueError, EOFError) as error:
        raise InputError(f"pattern: {file} cannot be read ({_why(error)})") from None


def _packed(array: object, name: str) -> Sending:
    prepared = prepare(array)
    named = name if name.lower().endswith(".npy") else name + ".npy"
    return Sending(named, prepared.npy(), prepared.binning, (prepared.note,) if prepared.note else ())


def _check_size(file: Path, size_mib: float, service: Service) -> None:
    most = service.limits().get("limits", {}).get("body_mib")
    if isinstance(most, (int, float)) and size_mib >= most:
        text = f"a file of {size_mib:.0f} MiB"
        accepted = f"less than {most:g} MiB; read {file.name} and give the pattern as an array, which is binned"
        raise bad_value("pattern", text, accepted)


def _why(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error).partition("\n")[0] or type(error).__name__
