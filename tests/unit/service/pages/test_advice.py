"""Every reason that the analysis can give is explained, and by its own words."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from pacbed.analysis.fit.effects.consider import EFFECTS
from pacbed.service.pages.advice import ADVICE, advice_for

ANALYSIS = Path(__file__).parents[4] / "src" / "pacbed" / "analysis"
GAP = "7"  # where a figure stands


def sentences():
    """Every sentence of a finding, with a figure in each gap; of alternatives each one."""
    found = []
    for file in sorted(ANALYSIS.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "findings.add":
                text = node.args[1]
                parts = [text.body, text.orelse] if isinstance(text, ast.IfExp) else [text]
                found += [(f"{file.name}:{node.lineno}", one) for part in parts for one in named(written(part))]
    return found


def named(sentence):
    """The sentence; for each effect on a picture, if it is about one of these."""
    head = "the pattern asks for "
    if head not in sentence:
        return [sentence]
    return [sentence.replace(f"{head}{GAP}", f"{head}{one.name.replace('_', ' ')}") for one in EFFECTS]


def written(node):
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(written(part) if isinstance(part, ast.Constant) else GAP for part in node.values)
    raise AssertionError(f"a reason is no sentence: {ast.unparse(node)}")


@pytest.mark.parametrize(("where", "sentence"), sentences(), ids=lambda one: one[:40])
def test_every_reason_has_a_meaning_and_a_remedy(where, sentence):
    advice = advice_for(sentence)
    assert advice.meaning and advice.remedy, f"{where}: {sentence}"


def test_there_are_reasons():
    assert len(sentences()) > 30


def test_every_entry_is_of_a_reason():
    used = {advice_for(sentence).phrase for _, sentence in sentences()}
    assert {one.phrase for one in ADVICE} - used == set()


@pytest.mark.parametrize(
    ("reason", "word"),
    [
        ("ambiguous: 34.1 nm fits nearly as well (misfit 0.051 against 0.049)", "Two thicknesses"),
        ("ambiguous: turned by 180 deg, 34.1 nm fits nearly as well (1.04 times the misfit)", "turned by 180°"),
        ("the thickness is known to 8.1 nm only, of 40.2 nm", "error bar"),
        ("refined from 30 nm only, as asked", "started where"),
        ("thickness 131.0 nm lies outside the bundle's range, 1 to 120 nm", "thicknesses that the bundle"),
        ("mistilt 6.1 mrad lies beyond the bundle's range, 5 mrad", "tilt is larger"),
    ],
)
def test_reasons_that_are_alike_are_told_apart(reason, word):
    assert word in advice_for(reason).meaning


def test_an_unknown_reason_is_shown_without_advice():
    assert advice_for("something new") == ("something new", "", "")
