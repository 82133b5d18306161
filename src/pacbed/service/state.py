"""What the routes share: settings, bundles, workers, store, counters."""

from __future__ import annotations

import secrets
import shutil
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import limits
import limits.storage
import limits.strategies
from limits.errors import ConfigurationError

from pacbed.service.catalogue.registry import Registry
from pacbed.service.metrics import Metrics
from pacbed.service.problems import ServiceError
from pacbed.service.settings import GIGA, Settings
from pacbed.service.store.audit import Audit
from pacbed.service.store.bundles import ServedBundles
from pacbed.service.store.database import open_database
from pacbed.service.store.lookups import Lookups
from pacbed.service.store.overview import Overview
from pacbed.service.store.tokens import ANYBODY, START, Tokens, secret_hash
from pacbed.service.workers.pool import Pool
from pacbed.service.workers.strips import Strips

SCRATCH = "scratch"
MINUTE_S = 60.0


class Service:
    """One running service.

    Parameters
    ----------
    settings : Settings
    start_token : str
        Opens everything, without limits, until the service ends.

    Raises
    ------
    ServiceError
        The database cannot be opened.
    """

    def __init__(self, settings: Settings, start_token: str) -> None:
        self.settings, self._start_hash = settings, secret_hash(start_token)
        settings.home.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(settings.home / SCRATCH, ignore_errors=True)  # what a killed service left
        (settings.home / SCRATCH).mkdir()
        engine = open_database(settings.database_url)
        self.tokens, self.lookups, self.served = Tokens(engine), Lookups(engine, settings.home), ServedBundles(engine)
        self.overview, self.audit = Overview(engine), Audit(settings.home)
        self.registry = Registry(settings.bundles, shipped=settings.shipped)
        self.pool = Pool(settings.workers, settings.limits)
        self.strips = Strips(self.pool, settings.home)
        self.metrics = Metrics()
        self._at_once: Counter[str] = Counter()
        self._rate = limits.RateLimitItemPerMinute(settings.limits.per_minute)
        self._views = limits.RateLimitItemPerMinute(settings.limits.views)
        try:
            storage = limits.storage.storage_from_string(settings.counters)
        except (ConfigurationError, ImportError) as error:
            raise ServiceError(503, f"counters: {settings.counters} cannot be used ({error})") from None
        self._window = limits.strategies.MovingWindowRateLimiter(storage)

    def owner_of(self, secret: str | None) -> str:
        """Whose request it is.

        Parameters
        ----------
        secret : str or None
            The token that came with it.

        Raises
        ------
        ServiceError
            401: none, or one that does not hold.
        """
        if not secret:
            if self.settings.open:
                return ANYBODY
            raise ServiceError(401, "token: got none, accepted: a token of this service as 'Authorization: Bearer ...'")
        if secrets.compare_digest(secret_hash(secret), self._start_hash):
            return START
        holder = self.tokens.holder(secret)
        if holder is None:
            raise ServiceError(
                401, "token: got one that does not hold here, accepted: one that is neither revoked nor old"
            )
        return holder

    @contextmanager
    def allowance(self, owner: str) -> Iterator[None]:
        """Count a look-up of somebody while it runs.

        Raises
        ------
        ServiceError
            429: too many a minute or at once; 507: too much is kept already.
        """
        if not is_named(owner):
            yield
            return
        most = self.settings.limits
        if self._at_once[owner] >= most.at_once:
            raise ServiceError(429, f"token: got more than {most.at_once} look-ups at once; wait for one", retry_s=1)
        if self.lookups.kept_bytes(owner) > most.kept_gb * GIGA:
            raise ServiceError(507, f"token: more than {most.kept_gb:g} GB are kept; delete look-ups")
        self._count(self._rate, owner, f"{most.per_minute} look-ups")
        self._at_once[owner] += 1
        try:
            yield
        finally:
            self._at_once[owner] -= 1

    def count_view(self, owner: str) -> None:
        """Count a picture that is rendered for somebody.

        Raises
        ------
        ServiceError
            429: too many a minute.
        """
        if is_named(owner):
            self._count(self._views, owner, f"{self.settings.limits.views} pictures", "views")

    def _count(self, rate: limits.RateLimitItem, owner: str, most: str, *kind: str) -> None:
        if not self._window.hit(rate, owner, *kind):
            reset_s = self._window.get_window_stats(rate, owner, *kind).reset_time - time.time()
            raise ServiceError(429, f"token: got more than {most} a minute", retry_s=reset_s)

    def left(self, owner: str) -> dict[str, float | None]:
        """What is left to somebody: look-ups within the minute, look-ups at once, bytes; None for no limit."""
        if not is_named(owner):
            return {"per_minute": None, "at_once": None, "kept_bytes": None}
        most = self.settings.limits
        return {
            "per_minute": float(self._window.get_window_stats(self._rate, owner).remaining),
            "at_once": float(most.at_once - self._at_once[owner]),
            "kept_bytes": max(0.0, most.kept_gb * GIGA - self.lookups.kept_bytes(owner)),
        }

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """A folder for one request, gone at its end."""
        folder = self.settings.home / SCRATCH / secrets.token_hex(16)
        (folder / "upload").mkdir(parents=True)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def is_named(owner: str) -> bool:
    """Whether somebody has a named token, and with it limits."""
    return not owner.startswith("~")


def is_operator(owner: str) -> bool:
    """Whether somebody has the token of the start, and with it the operator's page."""
    return owner == START
