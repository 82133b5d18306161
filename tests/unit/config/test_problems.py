"""Schemas and findings in words."""

from __future__ import annotations

from typing import Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pacbed.config.problems import accepted_text, describe_problems


@pytest.mark.parametrize(
    ("node", "name", "text"),
    [
        ({"type": "number"}, "", "a number"),
        ({"type": "number", "minimum": 0, "maximum": 2.5}, "", "a number from 0 to 2.5"),
        ({"type": "number", "exclusiveMinimum": 0}, "energy_kev", "a number above 0 [keV]"),
        ({"type": "integer", "minimum": 1}, "grid_px", "an integer from 1 [pixels]"),
        ({"type": "number", "maximum": 3}, "angle_deg", "a number up to 3 [deg]"),
        ({"type": "number", "exclusiveMaximum": 3}, "tilt_mrad", "a number below 3 [mrad]"),
        ({"type": "boolean"}, "mirrored", "true or false"),
        ({"type": "string"}, "dataset", "text"),
        ({"type": "string", "format": "path"}, "cif", "a path"),
        ({"const": 1}, "", "1"),
        ({"enum": ["cpu", "gpu"]}, "", "cpu or gpu"),
        ({"anyOf": [{"const": "auto"}, {"type": "integer"}, {"type": "null"}]}, "", "auto or an integer"),
        ({"type": "array", "items": {"type": "number"}}, "thickness_nm", "a list, each a number [nm]"),
        ({"type": "array", "prefixItems": [{"type": "integer"}] * 3}, "", "a list of 3, each an integer"),
        ({"type": "object", "properties": {"start": {}, "stop": {}}}, "", "{start, stop}"),
        ({"type": "object"}, "", "a mapping with one entry per name"),
        ({"type": "number"}, "relative_l2", "a number"),
    ],
)
def test_a_schema_node_in_words(node: dict[str, Any], name: str, text: str) -> None:
    assert accepted_text(node, name) == text


class Inner(BaseModel):
    model_config = ConfigDict(extra="forbid")
    depth_nm: float = Field(gt=0)
    kind: Literal["thin", "thick"] = "thin"


class Outer(BaseModel):
    model_config = ConfigDict(extra="forbid")
    inner: Inner
    many: dict[str, Inner] = Field(default_factory=dict)
    pair: tuple[int, int] = (1, 2)


def problems(data: Any) -> list[str]:
    with pytest.raises(ValidationError) as caught:
        Outer.model_validate(data)
    return describe_problems(caught.value.errors(), Outer.model_json_schema())


@pytest.mark.parametrize(
    ("data", "line"),
    [
        ({"inner": {"depth_nm": 0}}, "inner.depth_nm: got 0, accepted: a number above 0 [nm]"),
        ({"inner": {"depth_nm": 1, "kind": "x"}}, "inner.kind: got 'x', accepted: thin or thick"),
        ({"inner": {"depth": 1, "depth_nm": 1}}, "inner.depth: unknown key (got 1), accepted: depth_nm, kind"),
        ({"inner": {}}, "inner.depth_nm: missing, accepted: a number above 0 [nm]"),
        ({}, "inner: missing, accepted: {depth_nm, kind}"),
        ({"inner": 7}, "inner: got 7, accepted: {depth_nm, kind}"),
        (
            {"inner": {"depth_nm": 1}, "many": {"a": {"depth_nm": -1}}},
            "many.a.depth_nm: got -1, accepted: a number above 0 [nm]",
        ),
        ({"inner": {"depth_nm": 1}, "pair": [1]}, "pair: got [1], accepted: a list of 2, each an integer"),
        ({"inner": {"depth_nm": 1}, "pair": [1, "b"]}, "pair.1: got 'b', accepted: an integer"),
    ],
)
def test_a_finding_in_one_line(data: Any, line: str) -> None:
    assert problems(data) == [line]


def test_every_key_has_one_line_however_many_findings_it_has() -> None:
    lines = problems({"inner": {"depth_nm": "a", "kind": "b", "c": 1}, "pair": 3})
    assert sorted(line.split(":")[0] for line in lines) == ["inner.c", "inner.depth_nm", "inner.kind", "pair"]


def test_a_long_value_is_cut() -> None:
    (line,) = problems({"inner": {"depth_nm": "a" * 500}})
    assert len(line) < 150
    assert "aaa..., accepted" in line
