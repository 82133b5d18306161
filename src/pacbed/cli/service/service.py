"""`pacbed service`: tokens of the look-up service, and look-ups repeated."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pacbed.cli.arguments import DONE, REFUSED, number
from pacbed.cli.service.serve import INSTALL
from pacbed.errors import ParameterError

if TYPE_CHECKING:
    from pacbed.service.store.tokens import Tokens

service_app = typer.Typer(help="Tokens of the look-up service, and look-ups repeated.", rich_markup_mode=None)
token_app = typer.Typer(help="Named tokens; each is shown once.", rich_markup_mode=None)
service_app.add_typer(token_app, name="token")
Home = Annotated[Path | None, typer.Option(help="folder of the service; as for pacbed serve")]
Config = Annotated[Path | None, typer.Option(help="service.yaml; as for pacbed serve")]
TokenName = Annotated[str, typer.Argument(metavar="NAME", show_default=False)]


@token_app.command("add")
def add(
    name: TokenName,
    days: Annotated[float | None, typer.Option(parser=number, metavar="NUMBER", help="how long it holds [d]")] = None,
    home: Home = None,
    config: Config = None,
) -> int:
    """Make a token and print it, once."""
    print(_tokens(home, config).add(name, days=days))
    return DONE


@token_app.command("list")
def list_tokens(home: Home = None, config: Config = None) -> int:
    """Show the names of all tokens."""
    for token in _tokens(home, config).all():
        state = "holds" if token.holds(time.time()) else "revoked" if token.revoked else "expired"
        until = "" if token.expires is None else f", until {_day(token.expires)}"
        print(f"{token.name}: {state}, made {_day(token.created)}{until}")
    return DONE


@token_app.command("revoke")
def revoke(name: TokenName, home: Home = None, config: Config = None) -> int:
    """Let a token open nothing any more."""
    _tokens(home, config).revoke(name)
    return DONE


@service_app.command("reproduce")
def reproduce_command(
    crate: Annotated[Path, typer.Argument(metavar="CRATE.ZIP", show_default=False)],
    bundle: Annotated[Path | None, typer.Option(help="the bundle, where it neither ships nor is cached")] = None,
) -> int:
    """Repeat the look-up of a crate; status 1 where thickness or verdict differ."""
    from pacbed.service.records.reproduce import SAME_NM, reproduce

    again = reproduce(crate, bundle)
    told = "the same" if again.same else f"not the same to {SAME_NM:g} nm"
    changed = f"; versions changed: {', '.join(again.versions)}" if again.versions else ""
    print(f"{crate.name}: {_nm(again.before)} before, {_nm(again.after)} now, {told}{changed}")
    return DONE if again.same else REFUSED


def _tokens(home: Path | None, config: Path | None) -> Tokens:
    try:
        from pacbed.service.store.database import open_database
        from pacbed.service.store.tokens import Tokens
    except ModuleNotFoundError as error:
        raise ParameterError(f"{INSTALL} ({error.name} is missing)") from None
    from pacbed.service.settings import load_settings

    settings = load_settings(config, {"home": home})
    settings.home.mkdir(parents=True, exist_ok=True)
    return Tokens(open_database(settings.database_url))


def _day(seconds: float) -> str:
    return time.strftime("%Y-%m-%d", time.localtime(seconds))


def _nm(value: float | None) -> str:
    return "no thickness" if value is None else f"{value:.6f} nm"
