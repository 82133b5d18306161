"""A look-up service as the client sees it: where it is, who we are, and its answers."""

from __future__ import annotations

import json
import urllib.parse
import urllib.request
from dataclasses import dataclass, field
from math import isfinite
from typing import Any, Mapping, Union

from pacbed_client.errors import ServiceError, bad_value
from pacbed_client.multipart import encode_form
from pacbed_client.saving import AnyPath
from pacbed_client.tokens import parse_address, read_token_file
from pacbed_client.transport import Waits, opener_for, send

HERE = "http://127.0.0.1:8230"
API = "/api/v1"
LOOKUPS = "/lookups"
AGENT = "pacbed-client"
NO_JSON = 200  # status under which an answer that is none of ours is reported


@dataclass(frozen=True)
class Service:
    """A look-up service.

    Parameters
    ----------
    url : str
        Such as ``https://pacbed.example.org``; with ``?token=...`` as `pacbed serve` prints it.
    token : str
        Instead of one in the URL; empty for a service that needs none.
    ca_file : path, optional
        Certificates (PEM) that are trusted instead of the system's.
    timeout_s : float
        For a connection, for the next bytes, and for a whole answer once it began [s].
    patience_s : float
        In all for one request, before it is asked again, while the service is busy [s].

    Raises
    ------
    InputError
        The URL is no address, a time is no number above 0, or the certificates cannot be read.
    """

    url: str = HERE
    token: str = field(default="", repr=False)
    ca_file: AnyPath | None = None
    timeout_s: float = 120.0
    patience_s: float = 120.0

    def __post_init__(self) -> None:
        for name in ("timeout_s", "patience_s"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not isfinite(value) or value < 0:
                raise bad_value(name, value, "a number of seconds")
        if self.timeout_s == 0:
            raise bad_value("timeout_s", self.timeout_s, "a number of seconds above 0")
        address = parse_address(self.url)
        object.__setattr__(self, "url", address.url)
        object.__setattr__(self, "token", self.token or address.token)
        object.__setattr__(self, "_opener", opener_for(address.url, self.ca_file))

    def get(self, path: str) -> bytes:
        """An answer of the API, such as that of ``/limits``.

        Raises
        ------
        ServiceError, UnreachableError
        """
        return self._send(path, None, {})

    def bundles(self) -> list[dict[str, Any]]:
        """What is served: name, state, crystal, zone axis, energy and ranges of each bundle.

        Raises
        ------
        ServiceError, UnreachableError
        """
        found = _decoded(self.get("/bundles"))
        if not isinstance(found, list):
            raise ServiceError(NO_JSON, "no list of bundles; is it a pacbed service?")
        return found

    def limits(self) -> dict[str, Any]:
        """What the service allows, and what is left of it.

        Raises
        ------
        ServiceError, UnreachableError
        """
        return _object(self.get("/limits"))

    def look_up(self, fields: Mapping[str, str], file_name: str, content: bytes) -> dict[str, Any]:
        """Send a pattern.

        Parameters
        ----------
        fields : mapping
            What is asked of it, as texts.
        file_name : str
            Its suffix says how the service reads it.
        content : bytes
            Of the file.

        Returns
        -------
        dict
            The answer of ``POST /lookups``.

        Raises
        ------
        ServiceError, UnreachableError
        """
        form = encode_form(fields, file_name, content)
        return _object(self._send(LOOKUPS, form.body, {"Content-Type": form.content_type}))

    def _send(self, path: str, body: bytes | None, headers: dict[str, str]) -> bytes:
        sent = {"User-Agent": AGENT, "Accept": "*/*", **headers}
        if self.token:
            sent["Authorization"] = "Bearer " + self.token
        request = urllib.request.Request(self.url + API + path, data=body, headers=sent)
        opener = self._opener  # type: ignore[attr-defined]
        return send(opener, request, Waits(self.timeout_s, self.patience_s))


Where = Union[Service, AnyPath]


def service_of(where: Where, **waits: Any) -> Service:
    """The service that somebody means.

    Parameters
    ----------
    where : Service, str or path
        A service, its URL, or the file that `pacbed serve --token-file` wrote. A file that holds a token alone is for
        the service on this machine.
    **waits
        `ca_file`, `timeout_s` and `patience_s` of `Service`.

    Raises
    ------
    InputError
    """
    if isinstance(where, Service):
        return where
    if isinstance(where, str) and where.strip().startswith(("http://", "https://")):
        return Service(where, **waits)
    address = read_token_file(where)
    return Service(address.url or HERE, address.token, **waits)


def _decoded(content: bytes) -> Any:
    try:
        return json.loads(content.decode("utf-8"))
    except ValueError:
        raise ServiceError(NO_JSON, "something that is no JSON; is it a pacbed service?") from None


def _object(content: bytes) -> dict[str, Any]:
    found = _decoded(content)
    if not isinstance(found, dict):
        raise ServiceError(NO_JSON, "JSON of another kind; is it a pacbed service?")
    return found
