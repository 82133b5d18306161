"""Where the service is and what opens it: URLs with a token, and the file that holds one."""

from __future__ import annotations

import os
import stat
import urllib.parse
from pathlib import Path
from typing import NamedTuple

from pacbed_client.errors import InputError, bad_value
from pacbed_client.saving import AnyPath

LONGEST = 4096  # bytes of a token file
POSIX = os.name == "posix"
OTHERS = stat.S_IRWXG | stat.S_IRWXO
ACCEPTED = "http://HOST:PORT/ or https://HOST/, with ?token=... where one is needed"


class Address(NamedTuple):
    """Where a service is.

    Attributes
    ----------
    url : str
        Without query, and without a slash at its end; empty where only a token is known.
    token : str
        Empty for none.
    """

    url: str
    token: str = ""

    def __repr__(self) -> str:
        """The token is left out: representations end up in logs."""
        return f"Address(url={self.url!r})"


def parse_address(text: str) -> Address:
    """Take a URL apart, such as ``http://127.0.0.1:8230/?token=...``, which `pacbed serve` prints.

    Raises
    ------
    InputError
        It is no address of a service.
    """
    plain = text.strip()
    try:
        parts = urllib.parse.urlsplit(plain)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host = None
    printable = plain.isprintable() and " " not in plain and plain.isascii()
    if not host or not printable or parts.scheme not in ("http", "https") or parts.username is not None:
        raise bad_value("service", plain.partition("?")[0], ACCEPTED)
    token = urllib.parse.parse_qs(parts.query).get("token", [""])[0]
    return Address(f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}", token)


def read_token_file(path: AnyPath) -> Address:
    """Read what `pacbed serve --token-file` writes, or a file that holds a token alone.

    On Windows, who may read a file does not show in its mode and is not checked.

    Raises
    ------
    InputError
        There is no such file, others can read it, or it holds neither.
    """
    file = Path(path)
    try:
        mode = file.stat().st_mode
        content = file.read_bytes() if stat.S_ISREG(mode) and file.stat().st_size <= LONGEST else b""
    except OSError as error:
        raise InputError(f"token file: {file} cannot be read ({error.strerror})") from None
    if POSIX and mode & OTHERS:
        got = f"{file}, which others can read (mode {stat.S_IMODE(mode):o})"
        raise InputError(f"token file: got {got}, accepted: one for you alone; chmod 600 {file.name}")
    lines = content.decode("utf-8", "replace").split()
    if len(lines) != 1:
        raise InputError(f"token file: {file} holds no single line, accepted: a token, or {ACCEPTED}")
    if lines[0].startswith(("http://", "https://")):
        return parse_address(lines[0])
    if not lines[0].isprintable() or not lines[0].isascii():
        raise InputError(f"token file: {file} holds no token, accepted: letters, digits and signs")
    return Address("", lines[0])
