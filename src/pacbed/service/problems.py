"""What can be wrong with a request, each with its HTTP status (RFC 9110) and a sentence to act on."""

from __future__ import annotations

from math import ceil

from pacbed.errors import FormatError, PacbedError, ParameterError, PatternError

UNUSABLE = (PatternError, ParameterError, FormatError)


class ServiceError(PacbedError):
    """A request that is not answered as asked.

    Parameters
    ----------
    status : int
        Of HTTP.
    text : str
        One line for whoever asked.
    retry_s : float, optional
        When to ask again [s].
    """

    def __init__(self, status: int, text: str, *, retry_s: float | None = None) -> None:
        super().__init__(text)
        self.status = status
        self.retry_s = None if retry_s is None else max(1, ceil(retry_s))


def unusable(text: str) -> ServiceError:
    """What was sent cannot be used: 422 with the sentence of the package."""
    return ServiceError(422, text)


def unknown(text: str) -> ServiceError:
    """There is no such thing, or it is somebody else's: 404."""
    return ServiceError(404, text)
