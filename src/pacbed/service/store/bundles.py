"""Which bundles were ever served: one that is gone was withdrawn, another never was there."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import suppress

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from pacbed.service.store.schema import BundleRow


class ServedBundles:
    """Hashes and names of bundles.

    Parameters
    ----------
    engine : sqlalchemy.Engine
    """

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._noted: set[str] = set()

    def note(self, bundles: Mapping[str, str]) -> None:
        """Remember bundles, names by hash."""
        new = {sha256: name for sha256, name in bundles.items() if sha256 not in self._noted}
        if not new:
            return
        for sha256, name in new.items():
            with suppress(IntegrityError), Session(self._engine) as session, session.begin():  # another was faster
                if session.get(BundleRow, sha256) is None:
                    session.add(BundleRow(sha256=sha256, name=name, first_served=time.time()))
        self._noted |= new.keys()

    def name_of(self, sha256: str) -> str | None:
        """Name of a bundle that was served some time."""
        with Session(self._engine) as session:
            row = session.get(BundleRow, sha256)
            return None if row is None else row.name
