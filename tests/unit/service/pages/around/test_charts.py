"""Curves as SVG: where points lie, what tells curves apart, and that names are text."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from pacbed.service.pages.around.charts import Chart, Curve, draw

SVG = "{http://www.w3.org/2000/svg}"
CURVES = [Curve("fit", [(0, 0), (5, 0.1), (10, 0.2)]), Curve("networks", [(0, 0.05), (10, 0.4)])]


def drawn(curves, title="errors"):
    return ET.fromstring(draw(Chart(title, "noise [%]", "error [nm]", curves)))


def lines(svg):
    """Corners of the curves, without the samples of the legend."""
    found = {}
    for group in svg.iter(f"{SVG}g"):
        path = group.find(f"{SVG}path[@class='line']")
        if path is not None and "L" in path.get("d"):
            corners = [corner.split() for corner in path.get("d").replace("M", "").split("L")]
            found[group.get("class")] = [(float(x), float(y)) for x, y in corners]
    return found


def test_points_lie_where_the_axes_say():
    svg = drawn(CURVES)
    fit, networks = lines(svg)["curve curve-0"], lines(svg)["curve curve-1"]
    assert fit[1] == pytest.approx(((fit[0][0] + fit[2][0]) / 2, (fit[0][1] + fit[2][1]) / 2), abs=0.2)
    assert networks[1][0] == fit[2][0] and networks[1][1] < fit[2][1] < fit[0][1]
    ticks = {text.text: text for text in svg.iter(f"{SVG}text")}
    assert float(ticks["10"].get("x")) == fit[2][0] and {"noise [%]", "error [nm]"} <= ticks.keys()
    assert float(ticks["0.2"].get("y")) - 5 == pytest.approx(fit[2][1], abs=0.2)


def test_everything_lies_on_the_drawing():
    svg = drawn([Curve(str(n), [(1e-5, 1e-7), (1e4, 1e6 * n)]) for n in range(4)])
    width, height = (float(one) for one in svg.get("viewBox").split()[2:])
    for corners in lines(svg).values():
        assert all(0 <= x <= width and 0 <= y <= height for x, y in corners)


def test_curves_are_told_apart_without_colour():
    svg = drawn([*CURVES, Curve("c", [(1, 1), (2, 2)]), Curve("d", [(1, 2), (2, 1)])])
    marks = [group.find(f"{SVG}*[@class='mark']") for group in svg.iter(f"{SVG}g") if "curve-" in group.get("class")]
    assert len({(mark.tag, mark.get("d", "")[-9:]) for mark in marks[:4]}) == 4
    assert svg.get("role") == "img" and svg.get("aria-label") == "errors"


def test_names_are_text_and_nothing_is_styled_in_place():
    text = draw(Chart('"><script>', "<b>", "&", [Curve("<script>alert(1)</script>", [(0, 1), (1, 2)])]))
    assert "<script>" not in text and "&lt;script&gt;" in text and "style=" not in text
    ET.fromstring(text)


@pytest.mark.parametrize("curves", [[], [Curve("none", [])], [Curve("none", [(float("nan"), 1), (1, float("inf"))])]])
def test_without_points_nothing_is_drawn(curves):
    assert draw(Chart("t", "x", "y", curves)) == ""


def test_a_curve_at_zero_is_drawn():
    assert len(lines(drawn([Curve("zero", [(0, 0), (0, 0)])]))) == 1
