"""What docs/architecture.md names exists, where it says: rooms, files, functions, layers; and the sentence is whole."""

import ast
import configparser
import re
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest

import pacbed

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "pacbed"
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
SENTENCE = "CIF -> slices -> waves -> rocking table -> pattern -> stack -> networks -> bundle -> thickness"


def section(title: str) -> str:
    """Text below a heading, up to the next of its level."""
    return PAGE.split(f"\n## {title}\n")[1].split("\n## ")[0]


def fence(title: str) -> list[str]:
    """Lines of the first block of text in a section."""
    return section(title).split("```text\n")[1].split("```")[0].splitlines()


def rows(title: str) -> list[str]:
    """Rows of a section's table."""
    return [line for line in section(title).splitlines() if line.startswith("| ")][1:]


ARROWS = [line for line in fence("From CIF to thickness") if line.startswith("  │  ")]
BOXES = [line.split()[0] for line in fence("From CIF to thickness") if line[0] not in " │"]
CHANGES = rows("Where do I change ...")


@cache
def defined(path: Path) -> set[str]:
    """Functions, methods and classes of a module, or of the modules directly in a folder."""
    files = path.glob("*.py") if path.is_dir() else [path]
    nodes = [node for file in files for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))]
    return {n.name for n in nodes if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)}


def assert_defined(functions: list[str], places: list[Path]) -> None:
    for place in places:
        assert place.exists(), f"docs/architecture.md names {place}"
    known = set().union(*(defined(place) for place in places))
    assert set(functions) <= known, f"{set(functions) - known} not in {places}"


# The diagram


@pytest.mark.parametrize("line", ARROWS, ids=lambda line: line.split()[1])
def test_every_arrow_names_a_room_and_functions_in_it(line: str) -> None:
    functions = re.findall(r"(\w+)\(\)", line)
    assert functions
    assert_defined(functions, [PACKAGE / room for room in re.findall(r"[\w/]+/(?= )", line)])


def test_every_box_is_a_file_that_a_rule_writes() -> None:
    text = "".join(file.read_text(encoding="utf-8") for file in (ROOT / "workflow/rules").glob("*.smk"))
    written = re.findall(r'"results/{system}/([^"]+)"', text.replace("{{", "{").replace("}}", "}"))
    assert BOXES[0] == "structures/<material>.cif"
    assert list((ROOT / "structures").glob("*.cif"))
    assert [box for box in BOXES[1:] if box.replace("<", "{").replace(">", "}") not in written] == []


# Rooms and their order


def test_the_page_lists_all_rooms_and_no_others() -> None:
    listed = [row.split("`")[1] for row in rows("The rooms")]
    assert len(listed) == len(set(listed))
    assert set(listed) == {str(path.parent.relative_to(PACKAGE)) for path in PACKAGE.rglob("*.py")} - {"."}


def test_the_page_names_every_module_at_the_top() -> None:
    named = re.findall(r"`(\w+)`", section("The rooms").rpartition("|\n")[2])
    assert sorted(named) == sorted(path.stem for path in PACKAGE.glob("*.py") if path.stem != "__init__")


def test_the_order_is_that_of_the_contract() -> None:
    contracts = configparser.ConfigParser()
    contracts.read(ROOT / ".importlinter")
    layers = contracts["importlinter:contract:sentence"]["layers"].replace("pacbed.", "").split("\n")
    assert fence("Import order") == [layer.strip() for layer in layers if layer]


def test_the_top_of_the_package_reads_as_the_sentence() -> None:
    text = pacbed.__doc__ or ""
    assert f"\n    {SENTENCE}\n" in text
    assert f"\n    {SENTENCE}\n" in PAGE
    for start, end in pairwise(SENTENCE.split(" -> ")):
        line = re.search(rf"^ *{start} -> {end} +(`.*)$", text, flags=re.MULTILINE)
        assert line, f"{start} -> {end}"
        rooms = re.findall(r"`([\w.]+)`", line[1])
        assert rooms
        assert [room for room in rooms if not (PACKAGE / room.replace(".", "/")).is_dir()] == []


# Where do I change ...


def test_ten_changes_and_more_are_described() -> None:
    assert len(CHANGES) >= 10


@pytest.mark.parametrize("row", CHANGES, ids=lambda row: row.split("|")[1].strip())
def test_every_change_names_what_exists(row: str) -> None:
    _, _, where, test, follows, _ = re.split(r" ?\| ?", row)
    assert "`src/pacbed/" in where or "`workflow/rules/`" in where or "`clients/src/" in where
    assert "`tests/" in test
    assert "`" in follows
    places = [ROOT / path for path in re.findall(r"`((?:src|workflow|clients)/[\w/.]+)`", where)]
    assert_defined(re.findall(r"`(\w+)\(\)`", where), places)
