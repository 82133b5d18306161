"""The package keeps the house's rules: sizes, rooms, tests beside them, sources of assumptions.

What ruff can see (arguments, docstrings, names) is in `ruff.toml`, which way imports run in `.importlinter`. Every test
names all offenders at once.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE, TESTS = ROOT / "src" / "pacbed", ROOT / "tests" / "unit"
CLIENT, CLIENT_TESTS = ROOT / "clients" / "src" / "pacbed_client", TESTS / "clients"
MODULE_LINES, FUNCTION_LINES, MODULES_IN_A_FOLDER = 250, 40, 12
ROOM_RATIO, WHOLE_RATIO = 0.4, 0.6  # test lines per source line
# What counts as a source: a publication with its year, "the paper" whose method this is, a page of docs/, a
# measurement, or the plain word that a number is an estimate.
SOURCE = re.compile(r"\b(19|20)\d\d\b|\bpaper\b|\bdocs/|\bmeasured\b|\bestimate\b", re.IGNORECASE)
NO_CODE = (tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER)


def lines_of(files: Iterator[Path] | list[Path]) -> int:
    """Physical lines, blank ones and comments included."""
    return sum(len(path.read_text(encoding="utf-8").splitlines()) for path in files)


def modules(folder: Path) -> list[Path]:
    """Modules directly in a folder, without `__init__.py`."""
    return sorted(path for path in folder.glob("*.py") if path.name != "__init__.py")


def folders(base: Path) -> set[str]:
    """Folders below a base that hold modules or folders of modules, relative to it."""
    return {str(path.parent.relative_to(base)) for path in base.rglob("*.py")} - {"."}


def code_lines(node: ast.AST, code: set[int]) -> int:
    """Lines of a function from its `def` to its end that hold code.

    The signature and functions inside count; decorators, the docstring, blank lines and lines with nothing but a
    comment do not.
    """
    assert isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    own = set(range(node.lineno, (node.end_lineno or node.lineno) + 1)) & code
    if ast.get_docstring(node, clean=False) is not None:
        own -= set(range(node.body[0].lineno, (node.body[0].end_lineno or 0) + 1))
    return len(own)


def lines_with_code(text: str) -> set[int]:
    """Numbers of the lines that hold a token of code; strings count on all their lines."""
    found: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in NO_CODE:
            found |= set(range(token.start[0], token.end[0] + 1))
    return found


def test_modules_and_functions_are_short() -> None:
    long = []
    for path in sorted([*PACKAGE.rglob("*.py"), *(ROOT / "clients").rglob("*.py")]):
        text, name = path.read_text(encoding="utf-8"), path.relative_to(ROOT)
        if (lines := len(text.splitlines())) >= MODULE_LINES:
            long.append(f"{name}: {lines} lines")
        code = lines_with_code(text)
        for node in ast.walk(ast.parse(text)):
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            if (lines := code_lines(node, code)) >= FUNCTION_LINES:
                long.append(f"{name}, {node.name}: {lines} lines of code")
    none_of(long, f"below {MODULE_LINES} lines a module, below {FUNCTION_LINES} lines of code a function")


def test_a_function_is_measured_by_its_code() -> None:
    head = '@cache\ndef f(\n    a,\n):\n    """One.\n\n    Two.\n    """\n'
    text = head + '    # why\n\n    b = """x\n    y"""\n    return b\n'
    (function,) = ast.parse(text).body
    assert code_lines(function, lines_with_code(text)) == 6  # three of the signature, two of the string, return


def test_no_folder_holds_more_than_a_dozen_modules() -> None:
    counts = {name: len(modules(PACKAGE / name)) for name in sorted(folders(PACKAGE))}
    counts |= {f"clients, {name}": len(modules(CLIENT / name)) for name in sorted({".", *folders(CLIENT)})}
    full = {name: count for name, count in counts.items() if count > MODULES_IN_A_FOLDER}
    none_of([f"{name}: {count}" for name, count in full.items()], f"at most {MODULES_IN_A_FOLDER} modules a folder")


def test_simulation_is_rooms_and_nothing_else() -> None:
    assert modules(PACKAGE / "simulation") == []


def test_every_folder_of_tests_belongs_to_a_room() -> None:
    of_the_client = {"clients", *(f"clients/{name}" for name in folders(CLIENT))}
    strays = sorted(folders(TESTS) - folders(PACKAGE) - of_the_client)
    none_of(strays, "folders of tests/unit mirror those of src/pacbed")


def test_every_room_is_tested_enough() -> None:
    thin = []
    rooms = [(PACKAGE / name, TESTS / name) for name in sorted(folders(PACKAGE))]
    rooms += [(CLIENT / name, CLIENT_TESTS / name) for name in sorted({".", *folders(CLIENT)})]
    for room, room_tests in rooms:
        if not modules(room) or room.name == "kernels":  # private: counts with the room around it
            continue
        source, tests = (
            lines_of([*base.glob("*.py"), *(base / "kernels").glob("*.py")]) for base in (room, room_tests)
        )
        if tests < ROOM_RATIO * source:
            thin.append(f"{room.relative_to(ROOT)}: {tests} / {source} = {tests / source:.2f}")
    none_of(thin, f"at least {ROOM_RATIO} lines of tests per line of source in every room")


def test_the_whole_is_tested_enough() -> None:
    tests, source = lines_of((ROOT / "tests").rglob("*.py")), lines_of([*PACKAGE.rglob("*.py"), *CLIENT.rglob("*.py")])
    assert tests >= WHOLE_RATIO * source, f"{tests} / {source} = {tests / source:.2f}, wanted {WHOLE_RATIO}"


def assumptions(text: str) -> Iterator[tuple[int, str]]:
    """Line number and full comment of every `# ASSUME:`: it ends where another begins, or code."""
    lines = text.splitlines()
    for number, line in enumerate(lines):
        if "# ASSUME:" not in line:
            continue
        comment = line.partition("# ASSUME:")[2]
        for further in lines[number + 1 :]:
            if not further.lstrip().startswith("#") or "# ASSUME:" in further:
                break
            comment += further.partition("#")[2]
        yield number + 1, comment


def test_every_assumption_names_its_source() -> None:
    bare = []
    for path in [*sorted(PACKAGE.rglob("*.py")), *sorted((ROOT / "examples").glob("*.py"))]:
        for number, comment in assumptions(path.read_text(encoding="utf-8")):
            if not SOURCE.search(comment):
                bare.append(f"{path.relative_to(ROOT)}:{number}:{comment}")
    none_of(bare, "every assumption with a year, `paper`, a page of docs/, `measured` or `estimate`")


def test_an_assumption_ends_where_the_next_begins() -> None:
    text = "# ASSUME: one,\n# of the paper.\n# ASSUME: two\nx = 1  # ASSUME: three\n"
    assert list(assumptions(text)) == [(1, " one, of the paper."), (3, " two"), (4, " three")]


def none_of(offenders: list[str], rule: str) -> None:
    """Fail with the rule and all offenders, one a line."""
    if offenders:
        pytest.fail("\n".join([f"{rule}:", *offenders]), pytrace=False)
