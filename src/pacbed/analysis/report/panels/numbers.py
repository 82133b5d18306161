"""The text of a sheet: headline, numbers, reasons and conventions."""

from __future__ import annotations

import textwrap
from math import exp, hypot
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pacbed.analysis.predict import Analysis
from pacbed.analysis.result import Alternative, BeamShares, Estimate, Result, with_std

INK, GREY = "#222222", "#777777"
VERDICT_COLOURS = {"ok": "#2e7d32", "doubtful": "#d98200", "refused": "#b71c1c"}
REASON_WIDTH = 54  # characters
REASON_LINES = 10
LINE = 0.095  # of the text's axes, from line to line
LONGEST_NAME, NAME_END = 56, 20  # characters of an input's name, and of its end where the middle is left out
CONVENTIONS = (
    "Thickness: the crystalline part along the beam. Mistilt: shift of the incident direction in the frame of the "
    "crystal, from the zone axis (×) to the beam, the\ncentre of the direct disk (+); azimuths from +x (right) "
    "towards +y (down). Tilting specimen or beam gives the same pattern, elsewhere on the camera."
)


class Line(NamedTuple):
    """A named number."""

    name: str
    text: str


def draw_header(figure: Figure, analysis: Analysis, level: float, below: float) -> None:
    """The answer and its verdict, and below, in figure coordinates, what it is of."""
    result, source, meta = analysis.result, analysis.result.provenance, analysis.ready.bundle.meta
    thickness = result.thickness_nm
    figure.text(0.075, level, _with_unit(thickness, " nm", 2), fontsize=13, fontweight="bold", color=INK, va="center")
    figure.text(
        0.968, level, result.verdict.upper(), fontsize=9, fontweight="bold", color="white", va="center", ha="right",
        bbox={"boxstyle": "round,pad=0.35", "fc": VERDICT_COLOURS[result.verdict], "ec": "none"},
    )  # fmt: skip
    figure.text(0.36, level, f"mistilt {_mistilt(result)}", fontsize=9, color=INK, va="center")
    formula, axis = meta.crystal.get("formula", ""), meta.crystal.get("zone_axis", ())
    crystal = f"{formula} [{' '.join(str(index) for index in axis)}], {meta.energy_kev:g} kV" if axis else ""
    name = ", ".join(text for text in (source.input, source.parameters.get("part")) if text)
    figure.text(0.075, below, _shortened(name), fontsize=8, color=INK, va="center")
    made = f"{result.system} {source.bundle_sha256[:10]}", f"pacbed {source.versions.get('pacbed', '')}"
    said = " · ".join(text for text in (crystal, *made) if text)
    figure.text(0.975, below, said, fontsize=6.5, color=GREY, va="center", ha="right")


def _shortened(name: str) -> str:
    """A name that leaves room for what stands beside it: its beginning and its end."""
    return name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - NAME_END - 1]}…{name[-NAME_END:]}"


def draw_text(axes: Axes, result: Result) -> None:
    """Numbers on the left, reasons on the right, conventions below."""
    axes.axis("off")
    for index, (name, text) in enumerate(line for line in numbers(result) if line.text):
        height = 1.0 - LINE * index
        bold = "bold" if index == 0 else "normal"
        axes.text(0.0, height, name, va="top", color=GREY, transform=axes.transAxes)
        axes.text(0.125, height, text, va="top", color=INK, fontweight=bold, transform=axes.transAxes)
    reasons = result.reasons or ["nothing speaks against this result"]
    wrapped = [line for text in reasons for line in textwrap.wrap(f"• {text}", REASON_WIDTH, subsequent_indent="   ")]
    if len(wrapped) > REASON_LINES:
        wrapped = [*wrapped[: REASON_LINES - 1], "   … more in the JSON file"]
    axes.text(0.53, 1.0, "\n".join(wrapped), va="top", color=INK, linespacing=1.3, transform=axes.transAxes)
    axes.text(0.0, -0.06, CONVENTIONS, va="top", color=GREY, fontsize=6, linespacing=1.35, transform=axes.transAxes)


def _mistilt(result: Result) -> str:
    azimuth = result.mistilt_azimuth_deg
    return _with_unit(result.mistilt_mrad, " mrad", 2) + (f" towards {azimuth.value:.0f}°" if azimuth else "")


def numbers(result: Result) -> list[Line]:
    """Names and texts of the lines on the left; a text is empty where there is nothing to say."""
    thickness, rotation = result.thickness_nm, result.rotation_deg
    noise, shares = result.provenance.parameters["misfit_of_noise"], ""
    if thickness is not None:
        of_bar = {"noise": thickness.std_statistical, "effects": thickness.std_effects, "crystal": thickness.std_model}
        shares = ", ".join(f"{name} {part:.2f}" for name, part in of_bar.items() if part is not None)
    found = ", ".join(f"{one.value:.0f} nm ({100 * one.probability:.0f} %)" for one in result.thickness_candidates)
    blur = f", blur {_with_unit(result.blur_mrad, ' mrad', 2)}" if result.blur_mrad else ""
    turn = f" modulo {rotation.modulo_deg:g}°" if rotation else ""
    parts = [part.value for part in (result.ellipse_plus_percent, result.ellipse_cross_percent) if part is not None]
    ellipse = f", ellipse {exp(2 * hypot(*parts) / 100):.3f} : 1" if len(parts) == 2 else ""
    return [
        Line("thickness", _with_unit(thickness, " nm", 2)),
        Line("of which", shares and f"{shares} nm"),
        Line("mistilt", _mistilt(result)),
        Line("convergence", _with_unit(result.convergence_mrad, " mrad", 2) + ellipse),
        Line("pixel", _with_unit(result.pixel_mrad, " mrad", 4) + blur),
        Line("rotation", _with_unit(rotation, "°", 1) + turn + (", mirrored" if result.mirrored else "")),
        Line("polarity", _against(result.polarity, "turned by 180°")),
        Line("hand", _against(result.hand, "mirrored" if result.hand and result.hand.mirrored else "not mirrored")),
        Line("beam", _beam(result.beam)),
        Line("misfit", "" if result.misfit is None else f"{result.misfit:.3f}, noise alone {noise or 0:.3f}"),
        Line("networks", found or "none in this bundle"),
    ]


def _beam(beam: BeamShares | None) -> str:
    if beam is None:
        return ""
    low, high = (100 * share for share in beam.expected_share)
    return f"{100 * beam.recorded_share:.0f} % of it in the circle, {low:.0f} to {high:.0f} % expected"


def _against(other: Alternative | None, name: str) -> str:
    if other is None:
        return ""
    known = "decided" if other.decided else "undecided"
    return f"{known}: {name}, {other.misfit_ratio:.2f} times the misfit, {other.thickness_nm:.1f} nm"


def _with_unit(estimate: Estimate | None, unit: str, digits: int) -> str:
    return "" if estimate is None else with_std(estimate, digits) + unit
