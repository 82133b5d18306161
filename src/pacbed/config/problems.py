"""What a configuration accepts, in words: turns pydantic's findings and the JSON schema into one line per problem."""

from collections.abc import Iterable, Mapping
from typing import Any

UNITS = {"nm": "nm", "mrad": "mrad", "kev": "keV", "deg": "deg", "px": "pixels"}
Node = Mapping[str, Any]


def describe_problems(errors: Iterable[Mapping[str, Any]], schema: Node) -> list[str]:
    """Write one line per problem: the key, the value got, and what is accepted.

    Parameters
    ----------
    errors : iterable of dict
        `pydantic.ValidationError.errors()`.
    schema : dict
        The JSON schema of the model that was validated.

    Returns
    -------
    list of str
        Such as ``systems.demo.beam.energy_kev: got -3, accepted: a number from 20 to 1000 [keV]``.
    """
    lines: dict[str, str] = {}
    for error in errors:
        if error["type"] == "missing" and isinstance(error["loc"][-1], int):  # a list that is too short
            error = {**error, "loc": error["loc"][:-1], "type": "too_short"}
        path, node = _follow(error, schema)
        key = ".".join(str(part) for part in path)
        lines.setdefault(key, f"{key}: {_finding(error, path, node)}")
    return list(lines.values())


def _finding(error: Mapping[str, Any], path: list[Any], node: Node | None) -> str:
    if error["type"] == "extra_forbidden":
        return f"unknown key (got {_short(error['input'])}), accepted: {', '.join((node or {}).get('properties', {}))}"
    if error["type"] == "not_accepted":  # our own checks; of `pacbed.config.values.refuse`
        return f"got {error['ctx']['got']}, accepted: {error['ctx']['accepted']}"
    accepted = accepted_text(node, _named(path)) if node else error["msg"]
    if error["loc"][-1:] == ("[key]",):
        return "got this name, accepted: a name of letters, digits, _ and -"
    return (
        f"missing, accepted: {accepted}"
        if error["type"] == "missing"
        else f"got {_short(error['input'])}, accepted: {accepted}"
    )


def _named(path: list[Any]) -> str:
    """Last key of a path that carries a unit in its name: not a position in a list, not an end of a range."""
    return next(
        (part for part in reversed(path) if isinstance(part, str) and part not in ("start", "stop", "step")), ""
    )


def _follow(error: Mapping[str, Any], schema: Node) -> tuple[list[Any], Node | None]:
    """Path of a finding without pydantic's names of union members, and the schema node it leads to.

    For an unknown key the node is that of the parent, whose keys are the accepted ones.
    """
    path: list[Any] = []
    node: Node | None = schema
    location = [*error["loc"], *error.get("ctx", {}).get("path", ())]
    for position, part in enumerate(location):
        child = _child(node, part, schema)
        if child is not None:
            path, node = [*path, part], child
        elif error["type"] == "extra_forbidden" and position == len(location) - 1:
            return [*path, part], _resolve(node, schema)
    return path, _resolve(node, schema)


def _resolve(node: Node | None, schema: Node) -> Node | None:
    if node is not None and "$ref" in node:
        return {**schema["$defs"][node["$ref"].rsplit("/", 1)[-1]], **{k: v for k, v in node.items() if k != "$ref"}}
    if node is not None and ("anyOf" in node or "oneOf" in node):
        members = [_resolve(member, schema) for member in _members(node)]
        properties = {
            name: child for member in members if member for name, child in member.get("properties", {}).items()
        }
        return {**node, "anyOf": members, "properties": properties}
    return node


def _members(node: Node) -> list[Node]:
    return list(node.get("anyOf", node.get("oneOf", [])))


def _child(node: Node | None, part: Any, schema: Node) -> Node | None:
    node = _resolve(node, schema)
    if node is None:
        return None
    if isinstance(part, int):
        for member in [node, *_members(node)]:
            items = (member or {}).get("prefixItems", (member or {}).get("items"))
            if isinstance(items, list) and part < len(items):
                return items[part]
            if isinstance(items, Mapping):
                return items
        return None
    if part in node.get("properties", {}):
        return node["properties"][part]
    extra = node.get("additionalProperties")
    if isinstance(extra, Mapping) and part != "[key]":
        return extra
    patterns = list(node.get("patternProperties", {}).values())
    return patterns[0] if patterns and part != "[key]" else None


def accepted_text(node: Node, name: str = "") -> str:
    """Say in words what a schema node accepts; the unit comes from the key's name.

    Parameters
    ----------
    node : dict
        Node of a JSON schema, references resolved.
    name : str
        Key the node belongs to, such as ``energy_kev``.

    Returns
    -------
    str
        Such as ``a number from 20 to 1000 [keV]``.
    """
    unit = UNITS.get(name.rsplit("_", 1)[-1]) if "_" in name else None
    return _text(node, f" [{unit}]" if unit else "")


def _text(node: Node, unit: str) -> str:
    if "const" in node:
        return f"{node['const']}"
    if "enum" in node:
        return " or ".join(str(choice) for choice in node["enum"])
    if _members(node):  # null means "left out", which nobody has to write
        return " or ".join(_text(member, unit) for member in _members(node) if member.get("type") != "null")
    kind = node.get("type")
    if kind in ("number", "integer"):
        return ("a number" if kind == "number" else "an integer") + _bounds(node) + unit
    if kind == "array":
        return _array_text(node, unit)
    if kind == "object":
        keys = list(node.get("properties", {}))
        return f"{{{', '.join(keys)}}}" if keys else "a mapping with one entry per name"
    if kind == "boolean":
        return "true or false"
    return "a path" if node.get("format") == "path" else "text"


def _array_text(node: Node, unit: str) -> str:
    items = node.get("prefixItems")
    inner = _text(items[0] if items else node.get("items", {}), unit)
    return f"a list of {len(items)}, each {inner}" if items else f"a list, each {inner}"


def _bounds(node: Node) -> str:
    low, high = node.get("minimum"), node.get("maximum")
    above, below = node.get("exclusiveMinimum"), node.get("exclusiveMaximum")
    if low is not None and high is not None:
        return f" from {low:g} to {high:g}"
    lower = f" above {above:g}" if above is not None else f" from {low:g}" if low is not None else ""
    upper = f" up to {high:g}" if high is not None else f" below {below:g}" if below is not None else ""
    return lower + upper


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."
