"""What an operator can set: where to listen, what to serve, how much anybody may ask for."""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import yaml
from platformdirs import user_data_path
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from pacbed.errors import ConfigError, bad_value

LOCAL_NAMES = ("localhost", "127.0.0.1", "::1")
MEBI, GIGA = 2**20, 10**9


class Section(BaseModel):
    """Base of every part: unknown fields and infinities are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Limits(Section):
    """How much a request, a token and the queue may take."""

    body_mib: float = Field(64, gt=0, description="body of a request [MiB]")
    stall_s: float = Field(30, gt=0, description="longest pause of an upload [s]")
    seconds: float = Field(60, gt=0, description="time of one look-up [s]")
    memory_gb: float = Field(3, gt=0, description="resident memory of one worker [GB]")
    queue: int = Field(64, ge=1, description="look-ups that wait for a worker")
    per_minute: int = Field(30, ge=1, description="look-ups of a named token within a minute")
    views: int = Field(
        600, ge=1, description="previews and rendered candidates that a named token is shown within a minute"
    )
    at_once: int = Field(2, ge=1, description="look-ups of a named token at the same time")
    kept_gb: float = Field(2, gt=0, description="what is kept of a named token's look-ups [GB]")


class Settings(Section):
    """Everything `pacbed serve` can be told; the names are those of ``service.yaml``."""

    bundles: Path | None = Field(None, description="folder whose .pacbed files are served beside those that ship")
    shipped: bool = Field(True, description="serve the bundles that ship")
    home: Path = Field(
        default_factory=lambda: user_data_path("pacbed", appauthor=False) / "service",
        description="folder of the database, the look-ups and the audit log",
    )
    host: str = "127.0.0.1"
    port: int = Field(8230, ge=0, le=65535, description="0 takes a free one")
    workers: int = Field(default_factory=lambda: os.cpu_count() or 1, ge=1, description="processes that compute")
    token_file: Path | None = Field(None, description="receives the URL with the token of this start")
    open: bool = Field(False, description="answer without a token, on this machine only")
    hosts: list[str] = Field(default_factory=list, description="further names by which the service is reached")
    deny: list[str] = Field(default_factory=list, description="names of tokens, addresses and networks to turn away")
    keep_days: float = Field(365, gt=0, description="look-ups that nobody shared are deleted after this time [d]")
    database: str = Field("", description="URL of SQLAlchemy; empty: SQLite in the folder home")
    counters: str = Field(
        "memory://", description="where look-ups of named tokens are counted; redis://... for several servers"
    )
    servers: int = Field(1, ge=1, description="how many `pacbed serve` may share the folder home")
    proxies: list[str] = Field(
        default_factory=list, description="addresses and networks of proxies, which tell whose request they hand on"
    )
    limits: Limits = Field(default_factory=Limits)

    @model_validator(mode="after")
    def _is_closed_to_the_network(self) -> Self:
        if self.open and not is_loopback(self.host):
            raise ValueError("open: got true together with a host that others reach, accepted: a token for everybody")
        if self.open and self.proxies:
            raise ValueError("open: got true together with proxies, accepted: a token for everybody who comes by them")
        return self

    @model_validator(mode="after")
    def _counts_together(self) -> Self:
        if self.servers > 1 and counts_alone(self.counters):
            raise ValueError(
                f"counters: got {self.counters!r} together with servers: {self.servers}, accepted: redis://..., "
                "where all of them count"
            )
        return self

    @field_validator("proxies")
    @classmethod
    def _are_addresses(cls, proxies: list[str]) -> list[str]:
        for entry in proxies:
            try:
                ipaddress.ip_network(entry)
            except ValueError:
                raise ValueError("addresses, and networks such as 10.1.0.0/16") from None
        return proxies

    @property
    def database_url(self) -> str:
        """URL of the database."""
        return self.database or f"sqlite:///{self.home / 'service.sqlite'}"

    @property
    def sqlite_file(self) -> Path | None:
        """File of the database; None where a server keeps it."""
        scheme, _, place = self.database_url.partition(":///")
        return Path(place) if scheme.startswith("sqlite") else None

    def accepts_host(self, header: str) -> bool:
        """Whether a ``Host`` header names this service; others come from pages that were led here."""
        name = header.rpartition(":")[0] if header.rpartition(":")[2].isdigit() else header
        name = name.strip("[]").lower()
        return name in {*LOCAL_NAMES, self.host.lower(), *(host.lower() for host in self.hosts)}

    def denies(self, name: str, address: str | None) -> bool:
        """Whether a token or an address is on the deny list."""
        return any(entry == name or _holds(entry, address) for entry in self.deny)


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches a host."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def counts_alone(counters: str) -> bool:
    """Whether counters are those of one process."""
    return counters.startswith("memory:")


def without_password(url: str) -> str:
    """A URL to be shown."""
    return re.sub(r"(//[^/@:]*):.*@", r"\1:***@", url)


def load_settings(config: Path | None, given: Mapping[str, Any]) -> Settings:
    """Settings of a file, with what the command line gives instead.

    Parameters
    ----------
    config : path or None
        YAML with the fields of `Settings`.
    given : mapping
        Options that were given; None where they were not.

    Raises
    ------
    ConfigError
        The file cannot be read, or a value is not accepted.
    """
    content: Any = {}
    if config is not None:
        try:
            content = yaml.safe_load(config.read_text(encoding="utf-8")) or {}
        except (OSError, UnicodeError, yaml.YAMLError) as error:
            raise ConfigError(f"config: {config} cannot be read ({type(error).__name__})") from None
    if not isinstance(content, dict):
        raise ConfigError(f"config: {config} holds no fields, accepted: YAML such as 'port: 8230'")
    try:
        return Settings.model_validate({**content, **{name: one for name, one in given.items() if one is not None}})
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        if not key:  # of several fields together
            raise ConfigError(first["msg"].removeprefix("Value error, ")) from None
        raise ConfigError(str(bad_value(key, first["input"], first["msg"].removeprefix("Value error, ")))) from None


def _holds(entry: str, address: str | None) -> bool:
    try:
        return address is not None and ipaddress.ip_address(address) in ipaddress.ip_network(entry, strict=False)
    except ValueError:
        return False
