"""How much named tokens ask for: look-ups within a minute, and at the same time."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import limits
import limits.storage
import limits.strategies
from limits.errors import ConfigurationError

from pacbed.service.places import OwnPlaces, Places, SharedPlaces
from pacbed.service.problems import ServiceError
from pacbed.service.settings import Limits, counts_alone, without_password

LOGGER = logging.getLogger("pacbed.service")
ANSWER_S = 2.0  # Redis is next door: whoever waits longer waits for nothing
RETRY_S = 10.0
LOOKUPS = "look-ups"


class Counters:
    """Look-ups of named tokens, counted.

    Parameters
    ----------
    url : str
        ``memory://`` counts in this process, ``redis://...`` for all servers that name it.
    most : Limits
        How many are allowed.

    Raises
    ------
    ServiceError
        Redis cannot be used, or does not answer.
    """

    def __init__(self, url: str, most: Limits) -> None:
        self._most, shown = most, without_password(url)
        alone = counts_alone(url)
        options: dict[str, Any] = {} if alone else {"socket_timeout": ANSWER_S, "socket_connect_timeout": ANSWER_S}
        try:
            storage: Any = limits.storage.storage_from_string(url, **options)
        except (ConfigurationError, ImportError, ValueError) as error:
            text = f"counters: {shown} cannot be used ({type(error).__name__}), accepted: memory:// or redis://...,"
            raise ServiceError(503, f"{text} which needs 'pacbed[institute]'") from None
        if not storage.check():
            raise ServiceError(503, f"counters: {shown} does not answer")
        self._failure: type[Exception] | tuple[type[Exception], ...] = () if alone else storage.base_exceptions
        self._window = limits.strategies.MovingWindowRateLimiter(storage)
        self._places: Places = OwnPlaces() if alone else SharedPlaces(storage.get_connection())

    @contextmanager
    def counted(self, owner: str) -> Iterator[None]:
        """Count a look-up of somebody, and hold its place while it runs.

        Raises
        ------
        ServiceError
            429: too many a minute or at once; 503: Redis does not answer.
        """
        most = self._most.at_once
        with self._answering():
            place = self._places.take(owner, most)
        if place is None:
            raise ServiceError(429, f"token: got more than {most} look-ups at once; wait for one", retry_s=1)
        try:
            self.count(owner, self._most.per_minute, LOOKUPS)
            yield
        finally:
            self._give_back(owner, place)

    def count(self, owner: str, per_minute: int, what: str) -> None:
        """Count something that somebody asks for.

        Parameters
        ----------
        owner : str
        per_minute : int
            How many are allowed within a minute.
        what : str
            Such as "look-ups"; each is counted by itself.

        Raises
        ------
        ServiceError
            429: too many; 503: Redis does not answer.
        """
        rate = limits.RateLimitItemPerMinute(per_minute)
        with self._answering():
            if self._window.hit(rate, owner, what):
                return
            reset_s = self._window.get_window_stats(rate, owner, what).reset_time - time.time()
        raise ServiceError(429, f"token: got more than {per_minute} {what} a minute", retry_s=reset_s)

    def _give_back(self, owner: str, place: str) -> None:
        try:
            self._places.give_back(owner, place)
        except self._failure as error:  # the look-up is done, and its place ends by itself
            LOGGER.warning("counters: %r", error)

    def left(self, owner: str) -> dict[str, float]:
        """Look-ups that somebody has left: `per_minute` and `at_once`.

        Raises
        ------
        ServiceError
            503: Redis does not answer.
        """
        rate = limits.RateLimitItemPerMinute(self._most.per_minute)
        with self._answering():
            minute = self._window.get_window_stats(rate, owner, LOOKUPS).remaining
            places = self._most.at_once - self._places.taken(owner)
        return {"per_minute": float(minute), "at_once": float(max(0, places))}

    def renew(self) -> None:
        """Say that the look-ups of this server still run; without it their places end after a while."""
        try:
            self._places.renew()
        except self._failure as error:
            LOGGER.warning("counters: %r", error)

    @contextmanager
    def _answering(self) -> Iterator[None]:
        try:
            yield
        except self._failure as error:
            LOGGER.warning("counters: %r", error)
            text = "the counters of the service do not answer; ask again"
            raise ServiceError(503, text, retry_s=RETRY_S) from None
