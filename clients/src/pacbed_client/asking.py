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
        return _packed(pattern, name or UNNAMED, service)
    file = Path(pattern)
    named = _with_suffix(name or file.name, file.suffix)
    try:
        if file.suffix.lower() == ".npy":
            array = np.load(str(file), mmap_mode="r", allow_pickle=False)
            if array.ndim == 2:
                return _packed(array, named, service)
        _check_size(file.stat().st_size, f"read {file.name} and give the pattern as an array, which is binned", service)
        return Sending(named, file.read_bytes())
    except ClientError:
        raise
    except (OSError, ValueError, EOFError) as error:
        raise InputError(f"pattern: {file} cannot be read ({_why(error)})") from None


def _packed(array: object, name: str, service: Service) -> Sending:
    prepared = prepare(array)
    content = prepared.npy()
    notes = (prepared.note,) if prepared.note else ()
    _check_size(len(content), "; ".join([*notes, "crop it, or give the counts as 16-bit integers"]), service)
    return Sending(_with_suffix(name, ".npy"), content, prepared.binning, notes)


def _with_suffix(name: str, suffix: str) -> str:
    """A name by whose end the service knows how to read the file."""
    return name if name.lower().endswith(suffix.lower()) else name + suffix


def _check_size(size: int, advice: str, service: Service) -> None:
    """Refuse what the service would only refuse once it has travelled."""
    if size <= CHECKED_MIB * MEBI:
        return
    most = service.limits().get("limits", {}).get("body_mib")
    if isinstance(most, (int, float)) and size >= most * MEBI:
        raise bad_value("pattern", f"{size / MEBI:.0f} MiB", f"less than {most:g} MiB; {advice}")


def _why(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error).partition("\n")[0] or type(error).__name__
