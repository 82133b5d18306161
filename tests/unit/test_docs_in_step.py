"""What the pages say about the code is still so: make targets, diagram, assumptions, reasons, numbers."""

import ast
import json
import re
import runpy
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
RULE = re.compile(r"^rule (\w+):\n((?:    .*\n|\n)+)", re.MULTILINE)
README = (ROOT / "README.md").read_text(encoding="utf-8")
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")


def page(name: str) -> str:
    return (ROOT / "docs" / name).read_text(encoding="utf-8")


# Make targets


def recipe(target: str) -> list[str]:
    """Lines that a target executes, with uv from the path."""
    run = re.search(r"^RUN := (.*)$", MAKEFILE, flags=re.MULTILINE)
    lines = re.search(rf"^{re.escape(target)}:.*\n((?:\t.*\n)+)", MAKEFILE, flags=re.MULTILINE)
    assert run and lines
    text = lines[1].replace("$(RUN)", run[1]).replace("$(UV)", "uv")
    return [line.strip() for line in text.splitlines() if not line.startswith("\t@")]


@pytest.mark.parametrize("target", ["$(SYNCED)", "demo", "test"])
def test_the_readme_shows_what_a_target_executes(target: str) -> None:
    lines = recipe(target)
    assert lines
    assert "```bash\n" + "\n".join(lines) + "\n```\n" in README


# Diagram


def rules() -> dict[str, dict[str, set[str]]]:
    """Paths that each rule reads and writes, as patterns."""
    found = {}
    for file in (ROOT / "workflow/rules").glob("*.smk"):
        for name, body in RULE.findall(file.read_text(encoding="utf-8")):
            sections = re.split(r"^    (\w+):", body.replace("{{", "{").replace("}}", "}"), flags=re.MULTILINE)
            parts = dict(zip(sections[1::2], sections[2::2], strict=True))
            found[name] = {kind: set(re.findall(r'"(results/[^"]+)"', parts[kind])) for kind in ("input", "output")}
    return found


def test_the_diagram_is_the_workflow() -> None:
    diagram = re.search(r"```mermaid\n(.*?)```", README, flags=re.DOTALL)
    assert diagram
    arrows = re.findall(r"^ +(\w+)(?:\(\[.*?\]\))? --(?: .* --)?> (\w+)$", diagram[1], flags=re.MULTILINE)
    known = rules()
    assert {name for arrow in arrows for name in arrow} >= set(known)
    for start, end in arrows:
        if start in known:
            assert known[start]["output"] & known[end]["input"], f"{end} reads nothing that {start} writes"


# Assumptions


def test_the_physics_page_lists_every_assumption() -> None:
    files = [*(ROOT / "src").rglob("*.py"), *(ROOT / "examples").glob("*.py")]
    made = Counter({str(f.relative_to(ROOT)): f.read_text(encoding="utf-8").count("# ASSUME:") for f in files})
    listed = Counter(re.findall(r"^\| `([\w/]+\.py)` \|", page("physics.md"), flags=re.MULTILINE))
    assert listed == +made, "number of `# ASSUME:` marks per file, in the table of docs/physics.md and in the code"


# Reasons


def reasons() -> list[str]:
    """Longest fixed part of every sentence that a verdict can give as its reason."""
    files = (ROOT / "src/pacbed/analysis").rglob("*.py")
    nodes = [node for file in files for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))]
    calls = [node for node in nodes if isinstance(node, ast.Call) and ast.unparse(node.func) == "findings.add"]
    parts = [[n.value for n in ast.walk(c) if isinstance(n, ast.Constant) and isinstance(n.value, str)] for c in calls]
    return [max((text for text in texts if len(text) > 8), key=len, default="") for texts in parts]


def test_every_reason_has_its_remedy() -> None:
    text = page("troubleshooting.md")
    found = [reason for reason in reasons() if reason]
    assert len(found) > 10
    assert [reason for reason in found if reason.strip(" ,.(") not in text] == []


# Numbers


def test_the_user_guide_has_the_thresholds_of_a_bundle() -> None:
    from pacbed.analysis.recording.pattern_file import SMALLEST_PIXELS
    from pacbed.bundle.meta import PriorWidths, Thresholds

    text, limits = " ".join(page("user-guide.md").split()), Thresholds()
    assert f"above {limits.misfit_doubtful:.2f} a result is doubtful" in text
    assert f"above {limits.misfit_refused:.2f} it is refused" in text
    assert f"known to some {100 * PriorWidths().convergence_relative:g} %" in text
    assert f"at least {SMALLEST_PIXELS} pixels" in text


def test_the_physics_page_has_the_numbers_of_the_simulation() -> None:
    def source(name: str) -> str:
        return (ROOT / "src/pacbed/simulation" / name).read_text(encoding="utf-8")

    text = " ".join(page("physics.md").split())
    losses = re.search(r"^MEAN_LOSS, WORST_LOSS = ([\d.]+), ([\d.]+)", source("structure/grid_search.py"), re.MULTILINE)
    pitch = re.search(r"^FRINGE_FRACTION = ([\d.]+)", source("table/directions.py"), re.MULTILINE)
    assert losses and pitch
    assert f"{100 * float(losses[1]):g} % of the beam in the mean over the cone" in text
    assert f"{100 * float(losses[2]):g} % in the worst direction" in text
    assert f"{pitch[1]} λ / (θ t)" in text


def test_every_field_of_a_result_is_explained() -> None:
    from pacbed.analysis.result import Result

    text = page("user-guide.md")
    unexplained = [name for name in Result.model_fields if f"`{name}`" not in text]
    assert unexplained == ["schema_version", "system"]


# Figures


PAGES = [
    *[("report", "simulation"), ("planning", "planning"), ("fuzz", "fuzz"), ("compact", "compact")],
    *[
        ("accuracy_report", "accuracy"),
        ("experiment_report", "experiment"),
        ("maps_report", "maps"),
        ("first_use", "first_use"),
    ],
]


@pytest.mark.parametrize(("script", "page"), PAGES)
def test_the_page_of_a_benchmark_is_made_of_its_record(script: str, page: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    report = runpy.run_path(str(ROOT / f"benchmarks/{script}.py"))
    figures = json.loads((ROOT / f"benchmarks/{page}.json").read_text(encoding="utf-8"))
    assert (ROOT / f"benchmarks/{page}.md").read_text(encoding="utf-8") == report["markdown"](figures)


@pytest.mark.parametrize("file", sorted((ROOT / "benchmarks/referee").glob("*_b.json")), ids=lambda file: file.stem)
def test_the_physics_page_has_the_figures_of_the_frozen_phonons(file: Path) -> None:
    findings = json.loads(file.read_text(encoding="utf-8"))
    rows = re.findall(r"^\| .*± .* \|$", page("physics.md"), flags=re.MULTILINE)
    for pattern in findings["patterns"]:
        elastic, whole = (f"{100 * pattern[key]:.2f} %" for key in ("elastic_l2", "total_l2"))
        (row,) = [row for row in rows if f"| {pattern['thickness_nm']:.1f} | {elastic} |" in row]
        assert f"| {whole} (" in row
        bias = float(row.split("|")[-2].split("±")[0].replace("\N{MINUS SIGN}", "-"))
        assert bias == pytest.approx(pattern["bias_nm"], abs=6e-4)
