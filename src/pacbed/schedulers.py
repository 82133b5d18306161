"""Speaks to a dask scheduler elsewhere, if the package that does so is installed and somebody answers."""

from __future__ import annotations

from typing import Any

from pacbed.errors import bad_value

ANSWER_S = 30


def scheduler_client(address: str, *, local: str = "") -> Any:
    """A client of a dask scheduler.

    Parameters
    ----------
    address : str
        Such as ``tcp://node7:8786``.
    local : str
        What else the option takes, for the error.

    Returns
    -------
    distributed.Client

    Raises
    ------
    ParameterError
        No scheduler answers there, or the package distributed is not installed.
    """
    others = f"{local}, or " if local else ""
    try:
        from distributed import Client
    except ImportError as error:
        accepted = f"{others}an installation with the extra [cluster], which brings the package distributed"
        raise bad_value("scheduler", address, accepted) from error
    try:
        return Client(address, timeout=ANSWER_S)
    except (OSError, ValueError) as error:
        accepted = f"{others}the address that `dask scheduler` prints; no dask scheduler answers there ({error})"
        raise bad_value("scheduler", address, accepted) from error
