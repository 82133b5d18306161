"""Prose is short enough to be read, and what it names in the code exists."""

import importlib
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")),
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted((ROOT / "benchmarks").glob("*.md")),
    *sorted((ROOT / "clients").rglob("*.md")),
]
WIDTH = 120
FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
PATH = re.compile(
    r"(?<![\w/.<>-])((?:src|tests|workflow|benchmarks|examples|docs|profiles|clients|\.ci)/[\w./-]*\w/?)(?![\w<])"
)
MODULE = re.compile(r"(?<![\w./])pacbed(?:\.\w+)+")


def each_page() -> pytest.MarkDecorator:
    return pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


def prose(page: Path) -> list[str]:
    """Lines that are neither code nor part of a table, links without their targets."""
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    lines = [line for line in text.splitlines() if not line.startswith(("|", "    "))]
    return [re.sub(r"\]\([^)]*\)", "]", line) for line in lines]


@each_page()
def test_lines_of_prose_are_short(page: Path) -> None:
    assert [line for line in prose(page) if len(line) > WIDTH] == []


@pytest.mark.parametrize(("name", "lines"), [("design-notes", 150), ("physics", 350)])
def test_pages_stay_short(name: str, lines: int) -> None:
    text = (ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8").splitlines()
    assert len([line for line in text if not line.startswith(("|", "!["))]) <= lines


def paths(text: str) -> list[str]:
    """Paths of the repository that a text names; `workflow/` and `docs/` count from its root."""
    return PATH.findall(text)


def names(text: str) -> list[str]:
    """Modules, functions and classes of the package that a text names, with all their dots."""
    return MODULE.findall(text)


@each_page()
def test_paths_that_a_page_names_exist(page: Path) -> None:
    missing = [path for path in paths(page.read_text(encoding="utf-8")) if not (ROOT / path).exists()]
    assert missing == []


@each_page()
def test_modules_and_functions_that_a_page_names_exist(page: Path) -> None:
    assert [name for name in names(page.read_text(encoding="utf-8")) if not found(name)] == []


def found(name: str) -> bool:
    """Whether a dotted name is a module, or an attribute of one."""
    module, _, attribute = name.rpartition(".")
    try:
        return hasattr(importlib.import_module(module), attribute) or bool(importlib.import_module(name))
    except ModuleNotFoundError:
        return False


def test_what_is_looked_for_is_found() -> None:
    text = (
        "`src/pacbed/errors.py`, tests/unit/, (workflow/rules/x.smk). results/demo/docs/ is none, src/<room>/ neither."
    )
    assert paths(text) == ["src/pacbed/errors.py", "tests/unit/", "workflow/rules/x.smk"]
    text = "`pacbed.errors.bad_value`: demo.pacbed is a file, pacbed.predict(...) a function, pacbed.nothing neither."
    assert names(text) == ["pacbed.errors.bad_value", "pacbed.predict", "pacbed.nothing"]
    assert [found(name) for name in names(text)] == [True, True, False]
