"""Look-ups that run at the same time, by owner: counted in this process, or in Redis by all servers together."""

from __future__ import annotations

import secrets
import threading
import time
from collections import Counter
from typing import Any, Protocol

RENEW_S, HOLD_S = 10.0, 30.0  # a server that is killed holds its places as long as HOLD_S, and no longer
PREFIX = "pacbed:at-once:"


class Places(Protocol):
    """Places of owners; a look-up holds one while it runs."""

    def take(self, owner: str, most: int) -> str | None:
        """A place, or None where so many are taken."""

    def give_back(self, owner: str, place: str) -> None:
        """The look-up has ended."""

    def taken(self, owner: str) -> int:
        """How many are taken."""

    def renew(self) -> None:
        """The look-ups of this server still run; to be said every `RENEW_S`."""


class OwnPlaces:
    """Of this process alone."""

    def __init__(self) -> None:
        self._taken: Counter[str] = Counter()
        self._changing = threading.Lock()

    def take(self, owner: str, most: int) -> str | None:
        """A place, or None where so many are taken."""
        with self._changing:
            if self._taken[owner] >= most:
                return None
            self._taken[owner] += 1
        return owner

    def give_back(self, owner: str, place: str) -> None:
        """The look-up has ended."""
        with self._changing:
            self._taken[owner] -= 1

    def taken(self, owner: str) -> int:
        """How many are taken."""
        return self._taken[owner]

    def renew(self) -> None:
        """Nobody else counts them."""


class SharedPlaces:
    """Of all servers: for each owner a sorted set of places, by the time at which each ends unless it is renewed.

    Parameters
    ----------
    redis : redis.Redis
    hold_s : float
        How long a place stands without being renewed [s].
    """

    def __init__(self, redis: Any, hold_s: float = HOLD_S) -> None:
        self._redis, self._hold_s = redis, hold_s
        self._own: dict[str, str] = {}  # keys by place
        self._changing = threading.Lock()

    def take(self, owner: str, most: int) -> str | None:
        """A place, or None where so many are taken."""
        place, now, key = secrets.token_hex(8), time.time(), PREFIX + owner
        with self._redis.pipeline(transaction=True) as steps:
            steps.zremrangebyscore(key, "-inf", now)
            steps.zadd(key, {place: now + self._hold_s})
            steps.zcard(key)
            steps.pexpire(key, int(1000 * self._hold_s))
            count = steps.execute()[2]
        if count > most:
            self._redis.zrem(key, place)
            return None
        with self._changing:
            self._own[place] = key
        return place

    def give_back(self, owner: str, place: str) -> None:
        """The look-up has ended."""
        with self._changing:
            self._own.pop(place, None)
        self._redis.zrem(PREFIX + owner, place)

    def taken(self, owner: str) -> int:
        """How many are taken."""
        return int(self._redis.zcount(PREFIX + owner, time.time(), "+inf"))

    def renew(self) -> None:
        """The look-ups of this server still run."""
        with self._changing:
            own = dict(self._own)
        with self._redis.pipeline(transaction=False) as steps:
            for place, key in own.items():
                steps.zadd(key, {place: time.time() + self._hold_s}, xx=True)  # never one that was given back since
                steps.pexpire(key, int(1000 * self._hold_s))
            steps.execute()
