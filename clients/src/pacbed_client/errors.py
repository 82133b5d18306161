"""Every error that the client raises on purpose; its text is one sentence that a user can act on."""

from __future__ import annotations


class ClientError(Exception):
    """Base of every error of this package; what is not printable in its text is replaced."""

    def __init__(self, text: str) -> None:
        super().__init__("".join(letter if letter.isprintable() else "?" for letter in text))


class InputError(ClientError, ValueError):
    """An argument, a pattern or a file is not what is accepted; nothing was sent."""


class UnreachableError(ClientError, OSError):
    """The service cannot be reached, is not trusted, or did not answer in time."""


class ServiceError(ClientError):
    """The service answers with an error.

    Parameters
    ----------
    status : int
        HTTP status, such as 422 for a pattern that cannot be used.
    detail : str
        The service's own sentence.
    """

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(f"the service answers {status}: {detail}")
        self.status = status


def bad_value(argument: str, value: object, accepted: str) -> InputError:
    """Build the error for a bad argument: its name, the value got and what is accepted.

    Parameters
    ----------
    argument : str
        Name of the argument, as the caller wrote it.
    value : object
        The value got.
    accepted : str
        What would have been accepted.

    Returns
    -------
    InputError
        To be raised by the caller.
    """
    text = repr(value)
    shown = text if len(text) <= 80 else f"{text[:37]}...{text[-40:]}"
    return InputError(f"{argument}: got {shown}, accepted: {accepted}")
