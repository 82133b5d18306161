"""Form data as HTTP carries it (RFC 7578): text fields and one file."""

from __future__ import annotations

import secrets
from typing import Mapping, NamedTuple

# Names are quoted as browsers do (HTML, section 4.10.21.8): percent signs for what would end the quotation or the line.
QUOTED = (('"', "%22"), ("\r", "%0D"), ("\n", "%0A"))


class Form(NamedTuple):
    """A body and its media type."""

    content_type: str
    body: bytes


def encode_form(fields: Mapping[str, str], file_name: str, content: bytes) -> Form:
    """Pack text fields and a file.

    Parameters
    ----------
    fields : mapping
    file_name : str
        Name of the file.
    content : bytes
        Its content; the field is called ``file``.
    """
    boundary = "pacbed-" + secrets.token_hex(16)
    parts = []
    for name, value in fields.items():
        parts.append(_head(boundary, f'name="{_quoted(name)}"') + value.encode("utf-8"))
    named = f'name="file"; filename="{_quoted(file_name)}"\r\nContent-Type: application/octet-stream'
    parts.append(_head(boundary, named) + content)
    body = b"\r\n".join(parts) + f"\r\n--{boundary}--\r\n".encode("ascii")
    return Form("multipart/form-data; boundary=" + boundary, body)


def _head(boundary: str, described: str) -> bytes:
    return f"--{boundary}\r\nContent-Disposition: form-data; {described}\r\n\r\n".encode()


def _quoted(name: str) -> str:
    for sign, code in QUOTED:
        name = name.replace(sign, code)
    return name
