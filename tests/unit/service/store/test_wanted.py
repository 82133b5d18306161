"""The search of look-ups: by name, bundle, verdict and time, each owner's own."""

import pytest

from pacbed.service.store.wanted import Wanted


@pytest.fixture
def found(lookups, keep):
    """Function that searches three look-ups of Alice, beside one of Bob; names of files, the latest first."""
    keep(identity="a1" * 32, name="STO_thin 10%.dm4", pattern="f1.dm4")
    keep(identity="b2" * 32, name="Film_edge.tif", pattern="f2.tif", bundle="si110.pacbed", verdict="doubtful")
    keep(identity="c3" * 32, name="film centre.tif", pattern="f3.tif", bundle="si110.pacbed")
    keep("bob", identity="d4" * 32, name="film of bob.tif", pattern="f4.tif")

    def search(**wanted):
        return [one.input_name for one in lookups.of_owner("alice", Wanted(**wanted), limit=9)]

    return search


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        ({}, ["film centre.tif", "Film_edge.tif", "STO_thin 10%.dm4"]),
        ({"search": "FILM"}, ["film centre.tif", "Film_edge.tif"]),
        ({"search": " film  edge "}, ["Film_edge.tif"]),
        ({"search": "si110 film"}, ["film centre.tif", "Film_edge.tif"]),
        ({"search": "A1A1"}, ["STO_thin 10%.dm4"]),
        ({"search": "1a1a"}, []),  # within an id, not its beginning
        ({"search": "m_e"}, ["Film_edge.tif"]),  # marks of SQL are letters
        ({"search": "0%"}, ["STO_thin 10%.dm4"]),
        ({"search": "%"}, ["STO_thin 10%.dm4"]),
        ({"search": "' or 1=1 --"}, []),
        ({"search": "film\0edge"}, ["Film_edge.tif"]),
        ({"bundle": "si110"}, ["film centre.tif", "Film_edge.tif"]),
        ({"bundle": "si110.pacbed", "verdict": "ok"}, ["film centre.tif"]),
        ({"bundle": "si"}, []),
        ({"verdict": "refused"}, []),
        ({"search": "bob"}, []),
    ],
)
def test_what_is_wanted_is_found(found, wanted, names):
    assert found(**wanted) == names


def test_times_bound_the_list(found, lookups):
    middle = next(one for one in lookups.of_owner("alice", limit=9) if one.input_name == "Film_edge.tif").created
    assert found(since=middle) == ["film centre.tif", "Film_edge.tif"]
    assert found(before=middle) == ["STO_thin 10%.dm4"]
    assert found(since=middle, before=middle) == []
