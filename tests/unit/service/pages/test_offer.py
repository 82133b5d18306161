"""Which bundles are offered, which one a file asks for, and what is remembered."""

from __future__ import annotations

import pytest

from pacbed.service.pages.offer import Offer, as_cookie, chosen_last, fitting

SPANS = ((1.0, 100.0), (12.0, 20.0), (0.0, 5.0))


def offer(name, energy_kev=200.0, *, ready=True):
    return Offer(name, "SrTiO3", "0 0 1", energy_kev, *SPANS, ready)


TWO = [offer("a"), offer("b", 300.0)]


@pytest.mark.parametrize(
    ("energy", "angle", "names"),
    [(200.5, 14.0, ["a"]), (300.0, None, ["b"]), (None, None, ["a", "b"]), (200.0, 25.0, []), (80.0, None, [])],
)
def test_what_a_file_states_chooses(energy, angle, names):
    assert fitting(TWO, energy, angle) == names


def test_a_bundle_that_is_being_made_is_not_chosen():
    assert fitting([offer("a", ready=False)], 200.0, None) == []


def test_what_was_chosen_last_comes_back_without_the_pixel_size():
    cookie = as_cookie({"bundle": "b", "convergence_mrad": "13.7", "pixel_mrad": "0.4", "mirrored": "true"})
    assert cookie.isascii() and ";" not in cookie
    assert chosen_last(cookie, TWO) == {"bundle": "b", "convergence_mrad": "13.7", "mirrored": "true"}


@pytest.mark.parametrize("cookie", [None, "", "%%%", as_cookie({}), as_cookie({"bundle": "gone"}), "W10=", "bnVsbA=="])
def test_what_makes_no_sense_is_forgotten(cookie):
    assert chosen_last(cookie, TWO) == {}


@pytest.mark.parametrize("angle", ["nan", "-1", "x", "inf"])
def test_an_angle_that_is_none_is_forgotten(angle):
    assert chosen_last(as_cookie({"bundle": "a", "convergence_mrad": angle}), TWO) == {"bundle": "a"}


def test_the_only_bundle_is_chosen():
    assert chosen_last(None, TWO[:1]) == {"bundle": "a"}


def test_words():
    assert TWO[0].label == "SrTiO3 [0 0 1], 200 kV"
    assert TWO[0].ranges == "1 to 100 nm, 12 to 20 mrad, mistilt up to 5 mrad"
