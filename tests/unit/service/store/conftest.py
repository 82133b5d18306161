"""A database of a test's own, of each kind."""

import pytest

from pacbed.service.store.database import open_database


@pytest.fixture
def engine(database_url):
    opened = open_database(database_url)
    yield opened
    opened.dispose()
