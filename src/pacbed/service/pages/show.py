"""Fills templates, with the headers that every page has."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version
from typing import Any, NamedTuple

import jinja2
from fastapi import Request
from fastapi.responses import HTMLResponse

from pacbed.service.state import is_operator
from pacbed.service.store.tokens import ANYBODY, START
from pacbed.service.times import clock, minute

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self' data: blob:; script-src 'self'; connect-src 'self'; "
        "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    # Without a referrer browsers would send the posts of a form with 'Origin: null'.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
CALLED = {START: "operator", ANYBODY: "this machine"}


class Tab(NamedTuple):
    """A page in the navigation.

    Attributes
    ----------
    path, name : str
    operator : bool
        Shown to the operator alone.
    """

    path: str
    name: str
    operator: bool = False


TABS = (
    Tab("/", "Look-up"),
    Tab("/history", "History"),
    Tab("/bundles", "Bundles"),
    Tab("/limits", "Limits"),
    Tab("/operator", "Operator", operator=True),
)


def show(
    request: Request,
    template: str,
    owner: str | None,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    **values: Any,
) -> HTMLResponse:
    """A page.

    Parameters
    ----------
    request : Request
    template : str
        File name in ``templates/``; it extends ``base.html``, whose head says what a page fills in.
    owner : str or None
        Whose page it is; None for somebody without a token, who sees no navigation.
    status : int
        Of HTTP.
    headers : mapping, optional
        Beside those of every page.
    **values
        For the template.
    """
    operator = owner is not None and is_operator(owner)
    tabs = [] if owner is None else [tab for tab in TABS if operator or not tab.operator]
    shared = {
        "here": request.url.path,
        "tabs": tabs,
        "owner": None if owner is None else CALLED.get(owner, owner),
        "operator": operator,
        "version": version("pacbed"),
    }
    text = ENVIRONMENT.get_template(template).render({**shared, **values})
    return HTMLResponse(text, status, {**HEADERS, **(headers or {})})


def size(count: float) -> str:
    """A number of bytes as people read it."""
    for unit in ("B", "kB", "MB"):
        if count < 1000:
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:.3g} GB"


def _environment() -> jinja2.Environment:
    made = jinja2.Environment(
        loader=jinja2.PackageLoader("pacbed.service.pages"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {"utc": minute, "clock": clock, "size": size}
    return made


ENVIRONMENT = _environment()
