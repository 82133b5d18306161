"""What the routes share: settings, bundles, workers, store, counters."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pacbed.service.catalogue.registry import Registry
from pacbed.service.counters import Counters
from pacbed.service.metrics import Metrics
from pacbed.service.problems import ServiceError
from pacbed.service.seats import SCRATCH
from pacbed.service.settings import GIGA, Settings
from pacbed.service.store.audit import Audit
from pacbed.service.store.bundles import ServedBundles
from pacbed.service.store.database import open_database
from pacbed.service.store.lookups import Lookups
from pacbed.service.store.overview import Overview
from pacbed.service.store.tokens import ANYBODY, START, Tokens, secret_hash
from pacbed.service.workers.pool import Pool
from pacbed.service.workers.strips import Strips


class Service:
    """One running service.

    Parameters
    ----------
    settings : Settings
    start_token : str
        Opens everything, without limits, until the service ends.
    seat : int
        Which of the servers this is that share the folder home.

    Raises
    ------
    ServiceError
        The database or the counters cannot be used.
    """

    def __init__(self, settings: Settings, start_token: str, *, seat: int = 1) -> None:
        self.settings, self._start_hash, self._seat = settings, secret_hash(start_token), seat
        (settings.home / SCRATCH).mkdir(parents=True, exist_ok=True)
        engine = open_database(settings.database_url)
        self.tokens, self.lookups, self.served = Tokens(engine), Lookups(engine, settings.home), ServedBundles(engine)
        self.overview, self.audit = Overview(engine), Audit(settings.home)
        self.registry = Registry(settings.bundles, shipped=settings.shipped)
        self.pool = Pool(settings.workers, settings.limits)
        self.strips = Strips(self.pool, settings.home)
        self.metrics = Metrics()
        self.counters = Counters(settings.counters, settings.limits)

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
            429: too many a minute or at once; 507: too much is kept already; 503: Redis does not answer.
        """
        if not is_named(owner):
            yield
            return
        most = self.settings.limits
        if self.lookups.kept_bytes(owner) > most.kept_gb * GIGA:
            raise ServiceError(507, f"token: more than {most.kept_gb:g} GB are kept; delete look-ups")
        with self.counters.counted(owner):
            yield

    def count_view(self, owner: str) -> None:
        """Count a picture that is rendered for somebody.

        Raises
        ------
        ServiceError
            429: too many a minute; 503: Redis does not answer.
        """
        if is_named(owner):
            self.counters.count(owner, self.settings.limits.views, "pictures")

    def left(self, owner: str) -> dict[str, float | None]:
        """What is left to somebody: look-ups within the minute, look-ups at once, bytes; None for no limit."""
        if not is_named(owner):
            return {"per_minute": None, "at_once": None, "kept_bytes": None}
        kept = max(0.0, self.settings.limits.kept_gb * GIGA - self.lookups.kept_bytes(owner))
        return {**self.counters.left(owner), "kept_bytes": kept}

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """A folder for one request, gone at its end."""
        folder = self.settings.home / SCRATCH / f"{self._seat}-{secrets.token_hex(16)}"
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
