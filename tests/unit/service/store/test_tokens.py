"""Tokens: shown once, kept as hashes, and of no use once revoked or old."""

import time

import pytest
import sqlalchemy as sa

from pacbed.errors import ParameterError
from pacbed.service.store.schema import TokenRow
from pacbed.service.store.tokens import Tokens, secret_hash


def test_a_token_opens_until_it_is_revoked(engine):
    tokens = Tokens(engine)
    secret = tokens.add("alice")
    assert tokens.holder(secret) == "alice" and tokens.holder(secret + "x") is None
    assert [(one.name, one.revoked) for one in tokens.all()] == [("alice", None)]
    tokens.revoke("alice")
    assert tokens.holder(secret) is None and tokens.all()[0].revoked
    with engine.connect() as connection:
        kept = str(connection.execute(sa.select(TokenRow.__table__)).all())
    assert secret not in kept and secret_hash(secret) in kept


def test_a_token_ends_by_itself(engine, monkeypatch):
    tokens = Tokens(engine)
    secret = tokens.add("bob", days=2)
    now = time.time()
    monkeypatch.setattr("time.time", lambda: now + 1.9 * 86400)
    assert tokens.holder(secret) == "bob"
    monkeypatch.setattr("time.time", lambda: now + 2.1 * 86400)
    assert tokens.holder(secret) is None


def test_names_that_are_none(engine):
    for name in ("", "~start", "a b", "x" * 65, "../x", "é", "-x"):
        with pytest.raises(ParameterError, match="name: got"):
            Tokens(engine).add(name)
    assert Tokens(engine).all() == []


def test_a_name_is_given_once(engine):
    tokens = Tokens(engine)
    tokens.add("carol")
    tokens.revoke("carol")
    with pytest.raises(ParameterError, match="that no token has had"):
        tokens.add("carol")
    with pytest.raises(ParameterError, match="name: got 'dave'"):
        tokens.revoke("dave")
    with pytest.raises(ParameterError, match="days"):
        tokens.add("dave", days=-1)


def test_secrets_differ(engine):
    tokens = Tokens(engine)
    secrets = {tokens.add(f"user{number}") for number in range(20)}
    assert len(secrets) == 20 and all(len(secret) > 40 for secret in secrets)
