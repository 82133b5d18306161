"""One request over HTTP: whom we trust, how long we wait, when we ask again, and what went wrong in a sentence."""

from __future__ import annotations

import http.client
import json
import socket
import time
import urllib.error
import urllib.parse
import urllib.request
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import NamedTuple

from pacbed_client.errors import ClientError, InputError, ServiceError, UnreachableError
from pacbed_client.saving import AnyPath

try:
    import ssl
except ImportError:  # an embedded Python, as that of GMS, may not find its library; HTTP goes without
    ssl = None  # type: ignore[assignment]

PIECE = 2**16  # bytes
LONGEST_PROBLEM = 2**16  # bytes of an error that are read
SHOWN = 500  # letters of it that are told
BUSY = (429, 503)
REDIRECTS = (301, 302, 303, 307, 308)
LEAST_PAUSE_S = 0.5
BROKEN_TRIES = 3
LOCAL = ("localhost", "127.0.0.1", "::1")


class Waits(NamedTuple):
    """How long we wait.

    Attributes
    ----------
    timeout_s : float
        For a connection, for the next bytes, and for a whole answer once it began [s].
    patience_s : float
        In all, before asking again, while the service is busy [s].
    """

    timeout_s: float
    patience_s: float


class _BusyError(Exception):
    """The service may answer later.

    Parameters
    ----------
    error : ClientError
        To be raised if it is not asked again.
    after_s : float or None
        How long it wants us to wait; None where it is silent.
    broken : bool
        The connection broke: this is no matter of patience.
    """

    def __init__(self, error: ClientError, after_s: float | None = None, *, broken: bool = False) -> None:
        super().__init__(str(error))
        self.error, self.after_s, self.broken = error, after_s, broken


class _Stay(urllib.request.HTTPRedirectHandler):
    """Follows no redirect: urllib would send the token to wherever it leads."""

    def redirect_request(self, *_: object) -> None:
        """None makes an error of it."""


def opener_for(url: str, ca_file: AnyPath | None = None) -> urllib.request.OpenerDirector:
    """What opens the URLs of a service.

    Parameters
    ----------
    url : str
        Of the service. This machine is asked directly, others through the proxy of the system, if there is one.
    ca_file : path, optional
        Certificates (PEM) that are trusted instead of the system's.

    Raises
    ------
    InputError
        The certificates cannot be read, or this Python cannot speak HTTPS.
    """
    handlers: list[urllib.request.BaseHandler] = [_Stay()]
    parts = urllib.parse.urlsplit(url)
    if parts.scheme == "https" or ca_file is not None:
        handlers.append(_https(ca_file))
    if parts.hostname in LOCAL:
        handlers.append(urllib.request.ProxyHandler({}))
    return urllib.request.build_opener(*handlers)


def _https(ca_file: AnyPath | None) -> urllib.request.BaseHandler:
    """HTTPS to those whom we trust."""
    if ssl is None:
        raise InputError("service: got https, accepted: http, because this Python does not find its library ssl")
    try:
        context = ssl.create_default_context(cafile=None if ca_file is None else str(ca_file))
    except OSError as error:
        got = f"{ca_file}, which cannot be read ({error})"
        raise InputError(f"ca_file: got {got}, accepted: certificates as PEM") from None
    return urllib.request.HTTPSHandler(context=context)


def send(opener: urllib.request.OpenerDirector, request: urllib.request.Request, waits: Waits) -> bytes:
    """Send a request, again where that may help: a look-up asked twice is computed once.

    Parameters
    ----------
    opener : urllib.request.OpenerDirector
    request : urllib.request.Request
    waits : Waits

    Returns
    -------
    bytes
        The whole answer.

    Raises
    ------
    ServiceError
        The service answers with an error, or is busy for longer than we wait.
    UnreachableError
    """
    waited, tries = 0.0, 0
    while True:
        tries += 1
        try:
            return _once(opener, request, waits.timeout_s)
        except _BusyError as again:
            pause = max(LEAST_PAUSE_S, 2.0 ** (tries - 1) if again.after_s is None else again.after_s)
            if again.broken and tries >= BROKEN_TRIES:
                raise again.error from None
            if waited + pause > waits.patience_s:
                longer = f"to wait {pause:.0f} s more is longer than patience_s={waits.patience_s:g}"
                raise _retold(again.error, f"{again.error}; {longer}") from None
        time.sleep(pause)
        waited += pause


def _retold(error: ClientError, text: str) -> ClientError:
    """The same error in other words."""
    error.args = (text,)
    return error


def _once(opener: urllib.request.OpenerDirector, request: urllib.request.Request, timeout_s: float) -> bytes:
    base = f"{request.type}://{request.host}"
    try:
        with opener.open(request, timeout=timeout_s) as response:
            return _read(response, base, timeout_s)
    except urllib.error.HTTPError as error:
        with error:
            raise _of_status(error) from None
    except (OSError, http.client.HTTPException) as error:
        raise _of_connection(error, base, timeout_s) from None


def _read(response: http.client.HTTPResponse, base: str, timeout_s: float) -> bytes:
    """The whole answer, within the time: a server that sends a byte now and then would hold us for ever."""
    end = time.monotonic() + timeout_s
    announced = response.headers.get("Content-Length")
    wanted = int(announced) if announced is not None and announced.isdigit() else None
    parts, size = [], 0
    while wanted is None or size < wanted:
        part = response.read1(PIECE)
        if not part:
            break
        parts.append(part)
        size += len(part)
        if time.monotonic() > end:
            raise socket.timeout("slow")
    if wanted is not None and size < wanted:
        raise http.client.IncompleteRead(b"", wanted - size)
    return b"".join(parts)


def _of_status(error: urllib.error.HTTPError) -> Exception:
    """What to raise for an answer that is an error."""
    if error.code in REDIRECTS:
        there = error.headers.get("Location", "nowhere")
        return ServiceError(error.code, f"it sends us on to {there}; ask there, if you trust it")
    try:
        detail = _detail(error.read(LONGEST_PROBLEM)) or str(error.reason)
    except (OSError, http.client.HTTPException):
        detail = str(error.reason)
    told = ServiceError(error.code, detail[:SHOWN])
    return _BusyError(told, _retry_after(error.headers.get("Retry-After"))) if error.code in BUSY else told


def _detail(content: bytes) -> str:
    """The sentence of a problem (RFC 9457); empty where the answer is none, as that of a proxy."""
    try:
        found = json.loads(content.decode("utf-8"))
    except ValueError:
        return ""
    detail = found.get("detail") if isinstance(found, dict) else None
    return detail if isinstance(detail, str) else ""


def _retry_after(text: str | None) -> float | None:
    """Seconds of a Retry-After, which may be a time as well (RFC 9110); None for nothing that can be understood."""
    if text is None:
        return None
    if text.strip().isdigit():
        return float(text)
    try:
        when = parsedate_to_datetime(text)
    except (TypeError, ValueError, IndexError):
        return None
    known = when if when.tzinfo is not None else when.replace(tzinfo=timezone.utc)
    return max(0.0, (known - datetime.now(timezone.utc)).total_seconds())


def _of_connection(error: Exception, base: str, timeout_s: float) -> Exception:
    """What to raise where there was no answer."""
    reason = getattr(error, "reason", None)
    cause = reason if isinstance(reason, Exception) else error
    if ssl is not None and isinstance(cause, ssl.SSLCertVerificationError):
        why = getattr(cause, "verify_message", cause)
        return UnreachableError(f"{base}: its certificate is not trusted ({why}); give its authority's as ca_file")
    if isinstance(cause, (socket.timeout, TimeoutError)):
        return UnreachableError(f"{base}: no answer within {timeout_s:g} s (timeout_s)")
    if isinstance(cause, (ConnectionRefusedError, socket.gaierror)):
        return UnreachableError(f"{base}: nobody answers there ({cause.strerror})")
    if isinstance(cause, (ConnectionError, http.client.HTTPException)):
        told = f"{base}: the connection broke before there was a whole answer ({type(cause).__name__})"
        return _BusyError(UnreachableError(told), broken=True)
    return UnreachableError(f"{base}: cannot be reached ({cause})")
