"""The recipe of a table: what is needed to make it again, and what of it is kept."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from pacbed.bundle.meta import Ranges
from pacbed.bundle.recipe import LevelRecipe, Recipe
from pacbed.errors import FormatError


def trained(thickness_nm=8.0, convergence_mrad=11.0, mistilt_mrad=2.0):
    return Ranges(
        thickness_nm=(1, thickness_nm), convergence_mrad=(9, convergence_mrad), mistilt_mrad=(0, mistilt_mrad)
    )


def test_the_grid_says_what_is_kept(tiny_table):
    recipe = Recipe.of(tiny_table, trained(), 15.0)
    assert recipe.kept_cone_mrad == 11.0 + 2.0 + 2.0  # with room for the refinement
    assert recipe.kept_field_mrad == pytest.approx(2**0.5 * 15.0 + 2.0)  # the corner of the field, tilted
    assert 8.0 < recipe.kept_thickness_nm <= 8.0 + 2 * tiny_table.plane_spacing_nm


def test_no_more_is_kept_than_there_is(tiny_table):
    recipe = Recipe.of(tiny_table, trained(900, 90, 9), 200.0)
    kept = (recipe.kept_thickness_nm, recipe.kept_cone_mrad, recipe.kept_field_mrad)
    assert kept == (tiny_table.thickness_max_nm, tiny_table.cone_mrad, tiny_table.field_mrad)


def test_the_pitch_gives_the_same_numbers_of_steps_again(tiny_table):
    """A simulation divides each reciprocal-lattice vector into the fewest steps no longer than the pitch."""
    recipe = Recipe.of(tiny_table, trained(), 15.0)
    lengths = np.linalg.norm(tiny_table.reciprocal_mrad, axis=1)
    steps = tuple(int(count) for count in np.ceil(lengths / recipe.direction_pitch_mrad - 1e-9))
    assert steps == tuple(tiny_table.steps)


def test_a_recipe_survives_its_file(tiny_table, tmp_path):
    recipe = Recipe.of(tiny_table, trained(), 15.0)
    recipe.save(tmp_path)
    assert Recipe.load(tmp_path) == recipe
    known = replace(recipe, levels=(LevelRecipe(0.0, 4.0, (3, 4), 1e-3), LevelRecipe(4.0, 8.0, (6, 8), 2e-3)))
    known.save(tmp_path)
    assert Recipe.load(tmp_path) == known


def test_bundles_without_levels_are_read(tiny_table, tmp_path):
    recipe = Recipe.of(tiny_table, trained(), 15.0)
    recipe.save(tmp_path)
    file = tmp_path / "table.json"
    content = json.loads(file.read_text())
    file.write_text(json.dumps({name: value for name, value in content.items() if name != "levels"}))
    assert Recipe.load(tmp_path) == recipe


@pytest.mark.parametrize("damage", ["gone", "text", "list", "field missing", "field foreign", "level short"])
def test_a_damaged_recipe_is_refused_by_name(tiny_table, tmp_path, damage):
    file = tmp_path / "table.json"
    Recipe.of(tiny_table, trained(), 15.0).save(tmp_path)
    content = json.loads(file.read_text())
    if damage == "gone":
        file.unlink()
    elif damage == "field missing":
        file.write_text(json.dumps({name: value for name, value in content.items() if name != "cone_mrad"}))
    else:
        texts = {"text": "{", "list": "[1]", "field foreign": json.dumps({**content, "colour": 1})}
        texts["level short"] = json.dumps({**content, "levels": [[0.0, 4.0]]})
        file.write_text(texts[damage])
    with pytest.raises(FormatError, match=r"table\.json: damaged or missing .*accepted: what packing a bundle writes"):
        Recipe.load(tmp_path)
