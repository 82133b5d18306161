"""Which crystal, zone axis and voltage results belong to."""

from __future__ import annotations

import pytest

from pacbed.errors import FormatError
from pacbed.systems import System, check_same_system


@pytest.mark.parametrize(
    "other", [System("SrTiO3", (0, 0, 1), 300.0), System("SrTiO3", (0, 1, 1), 200.0), System("TiO2", (0, 0, 1), 200.0)]
)
def test_each_difference_is_found(other):
    first = System("SrTiO3", (0, 0, 1), 200.0)
    check_same_system(table=first, stack=first)
    with pytest.raises(FormatError, match=r"stack: got .*accepted: that of the table, SrTiO3 \[0 0 1\] at 200 keV"):
        check_same_system(table=first, stack=other)
