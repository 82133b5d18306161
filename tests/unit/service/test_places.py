"""Places in Redis: those of a server that was killed end by themselves, those of one that lives do not."""

import time

import pytest

from pacbed.service.places import SharedPlaces

HOLD_S = 0.6


@pytest.fixture
def servers(redis_url):
    """Places of two servers."""
    from redis import Redis

    connections = [Redis.from_url(redis_url) for _ in range(2)]
    connections[0].flushall()
    yield [SharedPlaces(connection, HOLD_S) for connection in connections]
    for connection in connections:
        connection.close()


def test_a_killed_server_locks_nobody_out(servers):
    killed, other = servers
    assert killed.take("alice", 2) and killed.take("alice", 2)
    assert other.take("alice", 2) is None and other.taken("alice") == 2
    time.sleep(HOLD_S + 0.1)
    assert other.taken("alice") == 0 and other.take("alice", 2)


def test_a_look_up_that_takes_long_keeps_its_place(servers):
    living, other = servers
    assert living.take("alice", 1)
    for _ in range(4):
        time.sleep(HOLD_S / 2)
        living.renew()
    assert other.take("alice", 1) is None


def test_a_place_that_was_given_back_is_not_renewed(servers):
    living, other = servers
    place = living.take("alice", 1)
    living._own["other"] = living._own[place]  # as while another thread gives it back
    living.give_back("alice", place)
    living.renew()
    assert other.taken("alice") == 0 and other.take("alice", 1)


def test_owners_do_not_meet(servers):
    assert servers[0].take("alice", 1) and servers[1].take("bob", 1) and servers[0].take("alice", 1) is None
