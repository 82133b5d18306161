"""The house's rules of the workflow: rule name = script stem = package function, short adapters, logs everywhere."""

import ast
import re
from pathlib import Path

import pytest

from pacbed.workflow.stages import STAGE_VERSIONS

ROOT = Path(__file__).resolve().parents[2]
RULE_FILES = sorted((ROOT / "workflow" / "rules").glob("*.smk"))
SCRIPTS = sorted((ROOT / "workflow" / "scripts").glob("*.py"))
CHEAP = {"accept_simulation"}


def rules():
    """Text of every rule by name."""
    text = "\n".join(path.read_text() for path in RULE_FILES)
    parts = re.split(r"^rule (\w+):\n", text, flags=re.MULTILINE)[1:]
    return dict(zip(parts[::2], parts[1::2], strict=True))


RULES = rules()


def test_every_rule_has_its_stage_version_and_script():
    assert set(RULES) == set(STAGE_VERSIONS) == {path.stem for path in SCRIPTS}


@pytest.mark.parametrize("name", RULES)
def test_rule_names_its_own_script_and_version(name):
    assert f'"../scripts/{name}.py"' in RULES[name]
    assert f'stage_version=STAGE_VERSIONS["{name}"]' in RULES[name]


@pytest.mark.parametrize("name", RULES)
def test_params_of_a_rule_cannot_be_taken_for_one_another(name):
    # Snakemake compares them as a set without names: one number, one path and one dict never equal each other.
    params = re.search(r"^    params:\n((?:        .*\n)+)", RULES[name], flags=re.MULTILINE)[1]
    names = re.findall(r"^        (\w+)=", params, flags=re.MULTILINE)
    assert set(names) <= {"stage_version", "state_dir", "state_file", "settings"}
    assert len(names) == len(set(names))
    assert "settings" not in names or "        settings=settings(\n" in params


@pytest.mark.parametrize("name", RULES)
def test_rule_logs_and_books_what_it_needs(name):
    for directive in ("log", "threads", "resources", *(() if name in CHEAP else ("benchmark",))):
        assert re.search(rf"^    {directive}:", RULES[name], flags=re.MULTILINE), directive
    assert "mem_mb=" in RULES[name]
    assert "runtime=" in RULES[name]


@pytest.mark.parametrize("name", RULES)
def test_rule_fits_a_node_of_two_cores(name):
    """A cluster refuses a job for which no node has cores enough, while --cores caps it on one machine."""
    threads = re.search(r"^    threads: (.+)$", RULES[name], flags=re.MULTILINE)[1]
    assert threads in ("1", "2", 'setting("simulation.scan.workers")')


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_adapter_is_short_and_calls_the_function_of_its_name(script):
    text = script.read_text()
    assert len(text.splitlines()) <= 25
    calls = {
        node.func.id for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call) and hasattr(node.func, "id")
    }
    assert {"configure_logging", script.stem} <= calls


@pytest.mark.parametrize("path", RULE_FILES, ids=lambda path: path.stem)
def test_rule_files_are_short_and_hold_no_functions(path):
    text = path.read_text()
    assert len(text.splitlines()) <= 150
    assert not re.search(r"^\s*def ", text, flags=re.MULTILINE)


@pytest.mark.parametrize("name", RULES)
def test_captions_exist(name):
    for caption in re.findall(r'caption="\.\./report/(\w+\.rst)"', RULES[name]):
        assert (ROOT / "workflow" / "report" / caption).is_file()


@pytest.mark.parametrize("name", RULES)
def test_captions_quote_settings_of_their_rule(name):
    for caption in re.findall(r'caption="\.\./report/(\w+\.rst)"', RULES[name]):
        text = (ROOT / "workflow" / "report" / caption).read_text()
        for quoted in re.findall(r"snakemake\.params\.settings\.(\w+)", text):
            assert f"            {quoted}=" in RULES[name], f"{caption} quotes {quoted}"


def test_no_zarr_store_is_itself_an_output():
    for path in re.findall(r'directory\("([^"]+)"\)', "\n".join(RULES.values())):
        assert not path.endswith(".zarr")
