"""Counters: a minute's look-ups, and those at once, in one process or by several servers together."""

import pytest

from pacbed.service.counters import Counters
from pacbed.service.problems import ServiceError
from pacbed.service.settings import Limits
from tests import daemons

MOST = Limits(at_once=1, per_minute=3)


@pytest.fixture(params=["memory", "redis"])
def url(request):
    """Both places to count."""
    return "memory://" if request.param == "memory" else request.getfixturevalue("redis_url")


def test_at_once_and_a_minute(url):
    counters = Counters(url, MOST)
    alice, bob = f"alice-{id(url)}", f"bob-{id(url)}"
    with counters.counted(alice):
        with pytest.raises(ServiceError, match="more than 1 look-ups at once") as caught, counters.counted(alice):
            pass
        assert caught.value.status == 429 and caught.value.retry_s
        assert counters.left(alice) == {"per_minute": 2, "at_once": 0}
        with counters.counted(bob):
            pass
    assert counters.left(alice) == {"per_minute": 2, "at_once": 1}
    for _ in range(2):
        with counters.counted(alice):
            pass
    with pytest.raises(ServiceError, match="3 look-ups a minute") as caught, counters.counted(alice):
        pass
    assert caught.value.status == 429 and 1 <= caught.value.retry_s <= 60
    assert counters.left(alice) == {"per_minute": 0, "at_once": 1}


def test_what_else_is_counted_within_a_minute_counts_by_itself(url):
    counters, owner = Counters(url, MOST), f"frank-{id(url)}"
    for _ in range(4):
        counters.count(owner, 4, "pictures")
    with pytest.raises(ServiceError, match="more than 4 pictures a minute") as caught:
        counters.count(owner, 4, "pictures")
    assert caught.value.status == 429 and counters.left(owner)["per_minute"] == 3


def test_an_error_gives_the_place_back(url):
    counters = Counters(url, MOST)
    with pytest.raises(ZeroDivisionError), counters.counted("carol"):
        raise ZeroDivisionError
    counters.renew()
    assert counters.left("carol")["at_once"] == 1


def test_two_servers_share_both(redis_url):
    one, two = Counters(redis_url, MOST), Counters(redis_url, MOST)
    with one.counted("dave"):
        with pytest.raises(ServiceError, match="at once"), two.counted("dave"):
            pass
        assert two.left("dave") == {"per_minute": 2, "at_once": 0}
    for _ in range(2):
        with two.counted("dave"):
            pass
    with pytest.raises(ServiceError, match="a minute"), one.counted("dave"):
        pass


def test_redis_that_is_gone_costs_no_answer_that_was_made():
    with daemons.redis() as (url, _):
        counters = Counters(url, MOST)
        running = counters.counted("erin")
        running.__enter__()
    running.__exit__(None, None, None)
    counters.renew()
    for ask in (lambda: counters.left("erin"), lambda: counters.counted("erin").__enter__()):
        with pytest.raises(ServiceError, match="counters of the service do not answer") as caught:
            ask()
        assert caught.value.status == 503 and caught.value.retry_s
    with pytest.raises(ServiceError, match="does not answer") as caught:
        Counters(url, MOST)
    assert "password-of-tests" not in str(caught.value) and "redis://:***@" in str(caught.value)


@pytest.mark.parametrize("url", ["nothing://x", "memcached://127.0.0.1:1", "redis://127.0.0.1:port"])
def test_what_cannot_be_used_is_told(url):
    with pytest.raises(ServiceError, match=f"counters: {url} cannot be used"):
        Counters(url, MOST)
