"""What runs on microscope PCs and in GMS needs no more than Python 3.7, its standard library and NumPy."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

CLIENTS = Path(__file__).parents[3] / "clients"
FILES = sorted(CLIENTS.rglob("*.py"))
OLDEST = (3, 7)
# Names that came with Python 3.8 or later (docs.python.org, "What's New"), as far as somebody might reach for them.
NEWER_NAMES = """
ast.get_source_segment ast.unparse asyncio.Runner asyncio.TaskGroup asyncio.timeout asyncio.to_thread
base64.b32hexencode base64.z85encode collections.abc.Buffer contextlib.AsyncContextDecorator contextlib.aclosing
contextlib.chdir copy.replace dataclasses.KW_ONLY datetime.UTC enum.StrEnum enum.property enum.verify
functools.cache functools.cached_property functools.singledispatchmethod hashlib.file_digest inspect.get_annotations
itertools.batched itertools.pairwise logging.getHandlerByName logging.getLevelNamesMapping math.cbrt math.comb
math.dist math.exp2 math.fma math.isqrt math.lcm math.nextafter math.perm math.prod math.sumprod math.ulp
operator.call os.memfd_create os.waitstatus_to_exitcode pprint.pp random.binomialvariate random.randbytes shlex.join
socket.create_server socket.has_dualstack_ipv6 statistics.NormalDist statistics.correlation statistics.covariance
statistics.fmean statistics.geometric_mean statistics.linear_regression statistics.multimode statistics.quantiles
string.templatelib sys.addaudithook sys.audit sys.exception sys.orig_argv sys.stdlib_module_names sys.unraisablehook
threading.excepthook threading.get_native_id threading.gettrace types.CellType types.EllipsisType types.NoneType
types.UnionType unittest.IsolatedAsyncioTestCase unittest.addModuleCleanup unittest.mock.AsyncMock uuid.uuid6
uuid.uuid7 warnings.deprecated zipfile.Path
"""
NEWER_IN_TYPING = """
Literal Final final Protocol TypedDict runtime_checkable SupportsIndex get_args get_origin Annotated ParamSpec
Concatenate TypeAlias TypeGuard Self Never LiteralString Required NotRequired Unpack TypeVarTuple assert_never
assert_type reveal_type dataclass_transform override get_overloads is_typeddict
"""
NEWER = {*NEWER_NAMES.split(), *(f"typing.{name}" for name in NEWER_IN_TYPING.split())}
MODULES = {
    *("importlib.metadata", "importlib.resources.abc", "multiprocessing.shared_memory", "zoneinfo", "graphlib"),
    *("tomllib", "pathlib.types", "annotationlib", "compression", "string.templatelib", "concurrent.interpreters"),
}
METHODS = {
    *("removeprefix", "removesuffix", "is_relative_to", "with_stem", "readlink", "hardlink_to", "bit_count"),
    *("with_segments", "full_match", "add_note", "is_junction", "toreadonly"),
}
KEYWORDS = {
    *("missing_ok", "dirs_exist_ok", "strict", "slots", "kw_only", "match_args", "usedforsecurity", "exit_on_error"),
    *("delete_on_close", "weakref_slot", "root_dir", "case_sensitive"),
}
BUILTINS = {"aiter", "anext", "ExceptionGroup", "BaseExceptionGroup", "EncodingWarning", "PythonFinalizationError"}
GENERIC = {"list", "dict", "tuple", "set", "frozenset", "type"}


def annotations(tree: ast.AST) -> set[ast.AST]:
    """All parts of annotations, which are not evaluated where the module says so."""
    found: list[ast.AST | None] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.AnnAssign | ast.arg):
            found.append(node.annotation)
        elif isinstance(node, ast.FunctionDef):
            found.append(node.returns)
    return {part for one in found if one is not None for part in ast.walk(one)}


def dotted(node: ast.AST) -> str:
    """A name with its dots; empty for anything else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and (base := dotted(node.value)):
        return f"{base}.{node.attr}"
    return ""


def too_new(text: str) -> Iterator[str]:
    """Everything in a module that Python 3.7 does not have."""
    try:
        tree = ast.parse(text, feature_version=OLDEST)
    except SyntaxError as error:
        yield f"syntax: {error.msg}"
        return
    aside = annotations(tree) if "from __future__ import annotations" in text else set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (one.name for one in node.names if one.name in MODULES)
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or "", *(f"{node.module}.{one.name}" for one in node.names)]
            yield from (name for name in names if name in MODULES | NEWER)
        elif isinstance(node, ast.Attribute) and (dotted(node) in NEWER or node.attr in METHODS):
            yield dotted(node) or node.attr
        elif isinstance(node, ast.Name) and node.id in BUILTINS:
            yield node.id
        elif isinstance(node, ast.keyword) and node.arg in KEYWORDS:
            yield f"{node.arg}="
        elif node not in aside:
            yield from evaluated(node)


def evaluated(node: ast.AST) -> Iterator[str]:
    """What fails when it is run, though it can be written."""
    if isinstance(node, ast.Subscript) and dotted(node.value) in GENERIC:
        yield f"{dotted(node.value)}[...]"
    plain = GENERIC | {"str", "int", "float", "bytes"}
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        sides = (node.left, node.right)
        none = any(isinstance(side, ast.Constant) and side.value is None for side in sides)
        if none or any(isinstance(side, ast.Dict) or dotted(side) in plain for side in sides):
            yield "| of types or dictionaries"
    if isinstance(node, ast.AugAssign) and isinstance(node.op, ast.BitOr) and isinstance(node.value, ast.Dict):
        yield "|= of dictionaries"


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(CLIENTS)))
def test_a_file_needs_no_newer_python(file: Path) -> None:
    assert list(too_new(file.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(CLIENTS)))
def test_a_file_imports_the_standard_library_and_numpy(file: Path) -> None:
    imported = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            imported |= {one.name.partition(".")[0] for one in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add((node.module or "").partition(".")[0])
    assert imported <= sys.stdlib_module_names | {"numpy", "pacbed_client"}
    assert imported.isdisjoint({"threading", "asyncio", "multiprocessing", "concurrent"})  # GMS bears none of them


@pytest.mark.parametrize(
    "text",
    [
        "if (a := 1): pass",
        "def f(a, /): pass",
        'f"{a=}"',
        "import functools\n@functools.cache\ndef f(): pass",
        "from functools import cached_property",
        "from importlib.metadata import version",
        "import importlib.metadata",
        "from typing import Literal",
        '"a".removeprefix("b")',
        "path.unlink(missing_ok=True)",
        "zip(a, b, strict=True)",
        "x = list[int]",
        "def f(a: dict[str, int]): pass",
        "from __future__ import annotations\nX = dict[str, int]",
        "x = int | None",
        "x = {} | {'a': 1}",
        "x |= {'a': 1}",
        "match a:\n    case 1: pass",
        "try: pass\nexcept* OSError: pass",
        "type X = int",
        "ExceptionGroup('a', [])",
    ],
)
def test_what_is_newer_is_found(text: str) -> None:
    assert len(list(too_new(text))) >= 1


@pytest.mark.parametrize(
    "text",
    [
        "from __future__ import annotations\ndef f(a: list[int] | None = None) -> dict[str, int]: pass",
        "from typing import NamedTuple, Union\nX = Union[str, int]",
        "x = 3 | 4",
        "x = {**{}, 'a': 1}",
    ],
)
def test_what_is_old_enough_passes(text: str) -> None:
    assert list(too_new(text)) == []


def an_old_python() -> str | None:
    """Python 3.7 of this machine; None where there is none."""
    for name in ("python3.7", *sorted(map(str, Path.home().glob(".pyenv/versions/3.7.*/bin/python")))):
        try:
            command = [name, "-c", "import sys; print(*sys.version_info[:2])"]
            if subprocess.run(command, capture_output=True, text=True).stdout.split() == ["3", "7"]:
                return name
        except OSError:
            continue
    return None


@pytest.mark.skipif(an_old_python() is None, reason="no Python 3.7 on this machine")
def test_python_37_compiles_it() -> None:
    python = an_old_python()
    assert python is not None
    code = "import sys; [compile(open(file, 'rb').read(), file, 'exec') for file in sys.argv[1:]]"
    done = subprocess.run([python, "-c", code, *map(str, FILES)], capture_output=True, text=True)
    assert done.stderr == "" and done.returncode == 0


def test_the_distribution_says_so() -> None:
    project = tomllib.loads((CLIENTS / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["requires-python"] == ">=3.7"
    assert [one.partition(">")[0] for one in project["dependencies"]] == ["numpy"]
    version = (CLIENTS / "src/pacbed_client/__init__.py").read_text(encoding="utf-8")
    assert f'__version__ = "{project["version"]}"' in version
