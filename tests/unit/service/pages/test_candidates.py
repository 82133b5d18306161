"""A candidate in the address of a page."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from pacbed.analysis.report.comparison.candidate import Wanted
from pacbed.service.pages.candidates import WantedQuery


def test_what_is_left_empty_stays_as_in_the_best_match():
    query = WantedQuery.model_validate({"thickness_nm": "4.5", "azimuth_deg": "", "point": "", "key": "x"})
    assert query.wanted() == Wanted(thickness_nm=4.5) and query.given()
    assert not WantedQuery.model_validate({"point": ""}).given()


@pytest.mark.parametrize("fields", [{"thickness_nm": "nan"}, {"point": "-1"}, {"mistilt_mrad": "1e9"}, {"point": "x"}])
def test_what_is_no_number_is_refused(fields):
    with pytest.raises(ValidationError):
        WantedQuery.model_validate(fields)


def test_a_page_with_such_an_address_is_refused_as_a_page(visitor, known):
    answer = visitor.get(f"/lookups/{known['id']}?thickness_nm=much")
    assert answer.status_code == 422 and "thickness_nm: got &#39;much&#39;" in answer.text
