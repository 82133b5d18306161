"""A database of a test's own."""

import pytest

from pacbed.service.store.database import open_database


@pytest.fixture
def engine(tmp_path):
    opened = open_database(f"sqlite:///{tmp_path / 'service.sqlite'}")
    yield opened
    opened.dispose()
