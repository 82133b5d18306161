"""README and docs/: what they show runs, and what they link to exists."""

import re
import shlex
import shutil
import tomllib
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import yaml

from pacbed.config.system import SystemConfig, load_config, validate_config

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
MINIMAL = {
    "crystal": {"cif": "structures/srtio3.cif", "zone_axis": [0, 0, 1]},
    "beam": {"energy_kev": 200},
    "grid": {"thickness_nm": {"start": 1, "stop": 2, "step": 1}, "convergence_mrad": [14], "mistilt_mrad": [0]},
}
FENCE = re.compile(r"^(?P<mark><!--[^\n]*-->\n)?```(?P<language>\w*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
COMPLETE = "# yaml-language-server"  # a file as it stands, not an excerpt


class Block(NamedTuple):
    page: Path
    number: int
    mark: str
    text: str

    def __str__(self) -> str:
        return f"{self.page.name}-{self.number}"


def blocks(language: str, page: Path | None = None) -> list[Block]:
    found = []
    for path in [page] if page else PAGES:
        for number, fence in enumerate(FENCE.finditer(path.read_text(encoding="utf-8"))):
            if (fence["language"] or "bash") == language:
                found.append(Block(path, number, fence["mark"] or "", fence["text"]))
    return found


def each(language: str) -> pytest.MarkDecorator:
    here = [block for block in blocks(language) if "run: service" not in block.mark]  # those: tests/unit/clients
    return pytest.mark.parametrize("block", here, ids=str)


def test_every_page_is_read_and_every_block_is_of_a_kind_that_is_checked() -> None:
    assert {page.stem for page in PAGES} >= {"README", "user-guide", "physics", "clusters", "troubleshooting"}
    text = "".join(page.read_text(encoding="utf-8") for page in PAGES)
    assert {fence["language"] for fence in FENCE.finditer(text)} <= {"", "bash", "python", "yaml", "mermaid", "text"}


# Python


@pytest.fixture(scope="module")
def finished_demo(tmp_path_factory, tiny_table, tiny_bundle_file, parts):
    """A folder like that of a finished demo, with a small bundle, its stack, and a pattern."""
    import tifffile

    from pacbed.patterns import Geometry
    from pacbed.simulation.rendering.renderer import Renderer

    folder = tmp_path_factory.mktemp("docs")
    (folder / "results/demo/bundle").mkdir(parents=True)
    shutil.copy(tiny_bundle_file, folder / "results/demo/bundle/demo.pacbed")
    shutil.copytree(parts["stack_dir"], folder / "results/demo/stack")
    geometry = Geometry((96, 96), 0.45, (47.0, 48.5), rotation_deg=20.0)
    clean = Renderer(tiny_table).render(
        thickness_nm=7.2, convergence_mrad=13.6, mistilt_mrad=(1.2, 0.4), geometry=geometry, blur_mrad=0.3
    )
    tifffile.imwrite(folder / "my_pattern.tif", np.round(clean / clean.max() * 4000).astype(np.uint16))
    return folder


@each("python")
def test_python_runs(block, finished_demo, monkeypatch, capsys) -> None:
    monkeypatch.chdir(finished_demo if "run: bundle" in block.mark else ROOT)
    exec(compile(block.text, str(block), "exec"), {})
    assert capsys.readouterr().out.strip()


# YAML


@each("yaml")
def test_yaml_is_accepted(block, tmp_path) -> None:
    data = yaml.safe_load(block.text)
    if block.page.name in ("service.md", "deploy.md"):
        from pacbed.service.settings import Settings

        assert Settings.model_validate(data)
        return
    if "systems" not in data:
        check_profile(data)
        return
    files = [tmp_path / "base.yaml", tmp_path / "block.yaml"]
    files[0].write_text(yaml.safe_dump({"systems": dict.fromkeys(data["systems"], MINIMAL)}), encoding="utf-8")
    files[1].write_text(block.text, encoding="utf-8")
    load_config(files[1:] if block.text.startswith(COMPLETE) else files)  # an excerpt changes a part of something


def check_profile(data: dict) -> None:
    """Keys are Snakemake's options, rules those of the workflow."""
    known = {option.lstrip("-") for option in snakemake_options()}
    assert set(data) <= known
    assert set(data.get("set-resources", {})) <= rule_names()


def rule_names() -> set[str]:
    rules = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "workflow/rules").glob("*.smk"))
    return set(re.findall(r"^rule (\w+):", rules, flags=re.MULTILINE))


def test_five_lines_are_enough(tmp_path) -> None:
    (block,) = blocks("yaml", ROOT / "README.md")
    assert len(block.text.splitlines()) == 5
    (tmp_path / "five.yaml").write_text(block.text, encoding="utf-8")
    assert load_config([tmp_path / "five.yaml"]).systems["anatase_200kv"].beam.energy_kev == 200


def test_the_user_guide_shows_every_key_with_its_default() -> None:
    (block,) = blocks("yaml", ROOT / "docs/user-guide.md")
    data = yaml.safe_load(block.text)["systems"]["everything"]
    assert_all_keys(data, validate_config({"systems": {"x": data}}).systems["x"])
    shown = SystemConfig.model_validate(data).model_dump()
    default = SystemConfig.model_validate(MINIMAL).model_dump()
    for section in ("simulation", "stack", "training", "evaluation"):
        assert shown[section] == default[section]
    assert {**shown["crystal"], **MINIMAL["crystal"]} == {**default["crystal"], **MINIMAL["crystal"]}


def assert_all_keys(data, model) -> None:
    """Every field of a model, and of the models in it, is written out."""
    if isinstance(model, dict):
        for name, item in model.items():
            assert_all_keys(data[name], item)
    elif isinstance(data, dict):
        assert set(data) == set(type(model).model_fields)
        for name in data:
            assert_all_keys(data[name], getattr(model, name))


# Commands


def snakemake_options() -> set[str]:
    from snakemake.cli import get_argument_parser

    return {option for action in get_argument_parser()._actions for option in action.option_strings}


@pytest.fixture(scope="module")
def options():
    """Options of every command that the pages use: Snakemake's, and those of each `pacbed` command."""
    import typer

    from pacbed.cli import app

    commands = {("pacbed", *names): command for names, command in all_commands(typer.main.get_command(app))}
    found = {names: {o for p in command.params for o in p.opts} | {"--help"} for names, command in commands.items()}
    return {"snakemake": snakemake_options(), "pacbed": found}


def all_commands(group, above=()):
    """Commands of a group, and of the groups in it, with their words."""
    for name, command in group.commands.items():
        yield (*above, name), command
        yield from all_commands(command, (*above, name)) if hasattr(command, "commands") else ()


@each("bash")
def test_commands_exist(block, options) -> None:
    for line in block.text.replace("\\\n", " ").splitlines():
        for command in line.split(" && "):
            check_command(shlex.split(command), block, options)


def check_command(words: list[str], block: Block, options: dict) -> None:
    words = [word for word in words if not re.fullmatch(r"[A-Z_]+=\w+", word)]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = set(project["optional-dependencies"])
    match words:
        case ["make", target]:
            assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE)
        case ["uv", "run" | "sync", *rest]:
            asked = {rest[place + 1] for place, word in enumerate(rest) if word == "--extra"}
            assert asked <= extras
            inner = [w for i, w in enumerate(rest) if not w.startswith("--extra") and rest[i - 1] != "--extra"]
            inner = [word for word in inner if word not in ("--frozen", "--inexact", "--compile-bytecode")]
            if inner:
                check_command(inner, block, options)
        case ["snakemake", *rest]:
            assert {word for word in rest if word.startswith("-")} <= options["snakemake"]
            check_files(rest, block)
        case ["pacbed", "--help"]:
            pass
        case ["pacbed", *_]:
            name = next(tuple(words[:count]) for count in (4, 3, 2) if tuple(words[:count]) in options["pacbed"])
            assert {word for word in words if word.startswith("-")} <= options["pacbed"][name]
        case ["curl", *_, address]:
            assert address.startswith("http://127.0.0.1:8230/api/v1/")
        case ["python", "-m", module, *_]:
            assert find_spec(module)
        case ["pip", "install", "clients/"]:
            assert (ROOT / "clients" / "pyproject.toml").is_file()
        case ["pip", "install", *rest]:
            assert set(re.findall(r"\w+", rest[-1])) <= extras
        case ["conda", "activate", name]:
            assert f"name: {name}\n" in (ROOT / "environment.yml").read_text(encoding="utf-8")
        case ["git", "clone", address]:
            assert address == project["urls"]["Repository"]
        case ["pytest", *rest]:
            assert {word for word in rest if word.startswith("-")} <= {"-n", "--dist", "-m", "-q"}
        case ["sqlite3" | "pg_dump" | "pg_restore" | "cp" | "mv" | "install" | "systemctl" | "podman", *rest]:
            check_deployment(rest, block)
        case ["useradd" | "runuser" | "/opt/pacbed/bin/pip", *_] | ["python3", "-m", "venv", "/opt/pacbed"]:
            assert block.page.name == "deploy.md"
        case ["conda", "env", "create"] | ["cd", "pacbed"]:
            pass
        case _:
            pytest.fail(f"{block}: nobody checks the command {' '.join(words)!r}")


def check_deployment(words: list[str], block: Block) -> None:
    """Files of deploy/ exist, and units are those of its template; tests/unit/service/ runs what can be run."""
    assert block.page.name == "deploy.md"
    for word in words:
        if word.startswith("deploy/"):
            assert (ROOT / word).is_file(), word
        if word.startswith("pacbed@"):
            assert word in (ROOT / "deploy" / "pacbed@.service").read_text(encoding="utf-8")


def check_files(words: list[str], block: Block) -> None:
    """Configurations exist, or are shown on the same page; so do profiles."""
    files = [yaml.safe_load(other.text) for other in blocks("yaml", block.page)]
    shown = {f"config/{name}.yaml" for file in files for name in file.get("systems", {})}
    for word in words:
        if word.startswith("config/"):
            assert word in shown or (ROOT / word).is_file(), word
        if word.startswith("profiles/"):
            assert (ROOT / word / "config.yaml").is_file(), word


# Links


@pytest.mark.parametrize("page", [*PAGES, ROOT / "CONTRIBUTING.md"], ids=lambda page: page.name)
def test_links_and_images_resolve(page) -> None:
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"https?://", target):
            continue
        path, _, anchor = target.partition("#")
        there = (page.parent / path).resolve() if path else page
        assert there.exists(), f"{page.name} links to {target}"
        if anchor:
            assert anchor in anchors(there), f"{page.name} links to {target}"


def anchors(page: Path) -> set[str]:
    """GitHub's anchors of a page's headings."""
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    headings = re.findall(r"^#+ (.+)$", text, flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
