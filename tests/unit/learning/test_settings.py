"""Settings of a training: each bad one is refused by name; each that matters, and nothing else, starts it anew."""

from __future__ import annotations

import json
import re
from dataclasses import FrozenInstanceError, fields
from pathlib import Path
from typing import get_args

import numpy as np
import pytest

from pacbed.config.sections import TrainingConfig
from pacbed.errors import ParameterError
from pacbed.learning.recipes import RECIPES, recipe_named
from pacbed.learning.settings import TrainingSettings

# Another accepted value for each setting.
OTHERS = {
    "thickness_nm": [2.0, 4.0, 6.0, 9.0],
    "convergence_mrad": [13.0, 14.5],
    "mistilt_mrad": [0.0, 2.0],
    "max_angle_mrad": 21.5,
    "recipe": "paper",
    "pixels": 32,
    "samples": 193,
    "validation_samples": 33,
    "epochs": {"scale": 3, "thickness": 4, "mistilt": 3},
    "batch_size": 16,
    "learning_rate": 1e-3,
    "scale_range": [0.9, 1.5],
    "scale_step": 0.1,
    "noise_max": 0.06,
    "seed": 4,
    "weights": "imagenet.h5",
    "start_from": "models",
    "freeze": 0.5,
    "fine_tuning": 0.2,
}


@pytest.fixture
def data(tmp_path, monkeypatch):
    """Two folders that hold what stands for a table and a stack, in a working folder with files of weights."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "imagenet.h5").write_text("weights")
    (tmp_path / "models").mkdir()
    for task in ("scale", "thickness", "mistilt"):
        (tmp_path / "models" / f"{task}.keras").write_text(task)
    for name in ("table", "stack"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "done.json").write_text(f'{{"{name}": 1}}')
    return tmp_path / "table", tmp_path / "stack"


@pytest.mark.parametrize(
    ("name", "value", "accepted"),
    [
        ("thickness_nm", [], r"ascending numbers above 0 \[nm\]"),
        ("thickness_nm", [0.0, 1.0], r"ascending numbers above 0 \[nm\]"),
        ("thickness_nm", [2.0, 2.0], r"ascending numbers above 0 \[nm\]"),
        ("convergence_mrad", [14.0, 13.0], r"ascending numbers above 0 \[mrad\]"),
        ("convergence_mrad", [13.0, np.inf], r"ascending numbers above 0 \[mrad\]"),
        ("mistilt_mrad", [-1.0, 1.0], r"ascending numbers from 0 \[mrad\]"),
        ("mistilt_mrad", [np.nan], r"ascending numbers from 0 \[mrad\]"),
        ("max_angle_mrad", 0.0, r"a number above 0 \[mrad\]"),
        ("pixels", 15, "an integer from 16"),
        ("pixels", 64.0, "an integer from 16"),
        ("samples", 0, "an integer from 1"),
        ("validation_samples", 0, "an integer from 1"),
        ("epochs", {"scale": 1, "thickness": 0, "mistilt": 1}, "an integer from 1 for each of .*"),
        ("epochs", {"scale": 1, "thickness": 1}, "an integer from 1 for each of scale, thickness, mistilt"),
        ("batch_size", -1, "an integer from 1"),
        ("learning_rate", 0.0, "a number above 0 and up to 1"),
        ("learning_rate", 2.0, "a number above 0 and up to 1"),
        ("scale_range", [1.4, 0.7], "lowest and highest, both above 0"),
        ("scale_range", [0.0, 1.4], "lowest and highest, both above 0"),
        ("scale_range", [0.7, 1.0, 1.4], "lowest and highest, both above 0"),
        ("scale_step", 0.0, "a number above 0"),
        ("noise_max", -0.1, "a number from 0 to 1"),
        ("noise_max", np.nan, "a number from 0 to 1"),
        ("seed", -1, "an integer from 0"),
        ("freeze", 1.0, "a number from 0 to below 1"),
        ("fine_tuning", 0.0, "a number above 0 and up to 1"),
    ],
)
def test_a_bad_setting_is_refused_by_name(make_settings, name, value, accepted):
    with pytest.raises(ParameterError, match=f"^{name}: got .*, accepted: {accepted}$"):
        make_settings(**{name: value})


def test_settings_stay_as_they_were_made(make_settings):
    axis = [1.0, 2.0]
    settings = make_settings(thickness_nm=axis)
    axis[0] = 5.0
    assert settings.thickness_nm == (1.0, 2.0)
    with pytest.raises(FrozenInstanceError):
        settings.seed = 5


def test_untilted_crystals_only_are_a_grid(make_settings):
    assert make_settings(mistilt_mrad=[0]).mistilt_mrad == (0.0,)


def test_classes_are_those_of_the_task(make_settings):
    assert make_settings().classes_of("thickness").values.tolist() == [2.0, 4.0, 6.0, 8.0]
    assert make_settings().classes_of("mistilt").values.tolist() == [0.0, 1.0, 2.0]
    scales = make_settings(scale_range=[0.8, 1.2], scale_step=0.2).classes_of("scale")
    assert (scales.task, scales.values.tolist()) == ("scale", [0.8, 1.0, 1.2])


def test_the_scale_network_alone_sees_the_whole_range_of_scales(make_settings):
    settings = make_settings()
    assert settings.draw_ranges_of("scale").scale == (0.9, 1.6)
    assert settings.draw_ranges_of("mistilt").scale == settings.draw_ranges_of("thickness").scale == (0.9, 1.1)
    assert settings.draw_ranges_of("thickness").thickness_nm == (2.0, 8.0)


def test_the_angles_of_the_grid_are_normalised_over_their_range(make_settings):
    grid = make_settings(convergence_mrad=[12.0, 13.0, 16.0]).convergence
    assert (grid.center_mrad, grid.half_width_mrad) == (14.0, 2.0)


def test_the_rule_hands_over_every_setting():
    rules = (Path(__file__).parents[3] / "workflow" / "rules" / "train.smk").read_text(encoding="utf-8")
    rule = rules[rules.index("rule train_network:") : rules.index("rule export_networks:")]
    handed_over = re.findall(r"^            (\w+)=(?:setting|planned)\(", rule, flags=re.MULTILINE)
    assert handed_over == [field.name for field in fields(TrainingSettings)]


def test_there_is_another_value_for_every_setting():
    assert set(OTHERS) == {field.name for field in fields(TrainingSettings)}


@pytest.mark.parametrize("name", OTHERS)
def test_every_setting_is_in_the_fingerprint(make_settings, data, name):
    assert make_settings(**{name: OTHERS[name]}).fingerprint(*data) != make_settings().fingerprint(*data)


def test_a_fingerprint_is_the_same_for_the_same_values(make_settings, data):
    """Lists or tuples, whole numbers or not: a resumed job gets its settings from Snakemake again."""
    again = make_settings(thickness_nm=(2, 4, 6, 8), scale_range=(0.9, 1.6)).fingerprint(*data)
    assert json.dumps(again) == json.dumps(make_settings().fingerprint(*data))


def test_the_name_of_a_folder_is_not_in_the_fingerprint(make_settings, data):
    table, stack = data
    before = make_settings().fingerprint(table, stack)
    moved = table.rename(table.with_name("moved")), stack.rename(stack.with_name("elsewhere"))
    assert make_settings().fingerprint(*moved) == before


@pytest.mark.parametrize("changed", [0, 1])
def test_the_content_of_table_and_stack_is_in_the_fingerprint(make_settings, data, changed):
    before = make_settings().fingerprint(*data)
    (data[changed] / "done.json").write_text('{"made": "again"}')
    assert make_settings().fingerprint(*data) != before


@pytest.mark.parametrize(("name", "file"), [("weights", "imagenet.h5"), ("start_from", "models/mistilt.keras")])
def test_the_content_of_the_weights_is_in_the_fingerprint(make_settings, data, name, file):
    settings = make_settings(**{name: OTHERS[name]})
    before = settings.fingerprint(*data)
    Path(file).write_text("other weights")
    assert settings.fingerprint(*data) != before
    for path in (Path(file), *Path("models").glob("*.keras")):
        path.unlink(missing_ok=True)
    with pytest.raises(ParameterError, match=rf"^{name}: got '{OTHERS[name]}', accepted: a (file|folder) [^\n]*\Z"):
        settings.fingerprint(*data)


@pytest.mark.parametrize("folder", [False, True])
def test_the_content_of_a_bundle_is_in_the_fingerprint(make_settings, data, folder):
    bundle = Path("other.pacbed")
    network = bundle / "scale.onnx" if folder else bundle
    network.parent.mkdir(exist_ok=True)
    settings = make_settings(start_from=str(bundle))
    with pytest.raises(ParameterError, match=r"^start_from: got 'other\.pacbed', accepted: a folder .* or a bundle"):
        settings.fingerprint(*data)
    found = []
    for content in ("networks", "others"):
        network.write_text(content)
        found.append(settings.fingerprint(*data))
    assert found[0] != found[1]


def test_the_configuration_offers_the_recipes_there_are():
    assert set(get_args(TrainingConfig.model_fields["recipe"].annotation)) == {*RECIPES, "none"}


def test_an_unknown_recipe_is_refused():
    with pytest.raises(ParameterError, match="recipe: got 'large', accepted: one of compact, paper"):
        recipe_named("large")
