"""Small bundles without networks of crystals that have an orientation, and a camera for each."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from pacbed.patterns import Geometry

ROOT = Path(__file__).resolve().parents[4]
RANGES = {"thickness_nm": (2.0, 13.0), "convergence_mrad": (8.5, 9.5), "mistilt_mrad": (0.0, 1.5)}


@pytest.fixture(scope="session")
def bundle_along(tiny_bundle, tmp_path_factory):
    """Function that makes a bundle of a crystal along an axis: up to 14 nm, 9 mrad convergence, 1.5 mrad mistilt."""
    from pacbed.bundle.archive import TABLE, write_bundle
    from pacbed.bundle.meta import Ranges
    from pacbed.bundle.reader import load_bundle
    from pacbed.bundle.recipe import Recipe
    from pacbed.bundle.thinning import write_compact
    from pacbed.crystal.cif import read_cif
    from pacbed.crystal.orientation import orient
    from pacbed.crystal.slicing import slice_potentials
    from pacbed.simulation.table.gather import gather_rocking_table
    from pacbed.simulation.table.rocking_block import simulate_rocking_block
    from pacbed.simulation.table.rocking_table import RockingTable
    from pacbed.simulation.table.settings import TableSettings

    def make(name, zone_axis, **numerics):
        folder = tmp_path_factory.mktemp(name)
        oriented = orient(read_cif(ROOT / "structures" / f"{name}.cif"), zone_axis)
        slices = slice_potentials(oriented, zone_axis=zone_axis, energy_ev=200e3, **numerics)
        (folder / "structure").mkdir()
        slices.save(folder / "structure")
        settings = TableSettings(
            thickness_max_nm=14.0, cone_mrad=13.0, field_mrad=22.0, direction_pitch_mrad=0.6, propagator="exact",
            batch=64,
        )  # fmt: skip
        simulate_rocking_block(folder / "structure", settings, block=0, blocks=1, out_dir=folder / "block")
        gather_rocking_table([folder / "block"], folder / "rocking")
        table, ranges = RockingTable.load(folder / "rocking"), Ranges(**RANGES)
        content = folder / "content"
        content.mkdir()
        write_compact(table, Recipe.of(table, ranges, 14.0), content / TABLE)
        crystal = {key: table.facts[key] for key in ("formula", "zone_axis", "thermal_model")}
        known = {"system": name, "crystal": crystal, "trained": ranges, "max_angle_mrad": 14.0, "class_values": {}}
        write_bundle(content, tiny_bundle.meta.model_copy(update=known), folder / f"{name}.pacbed")
        shutil.rmtree(content)
        return load_bundle(folder / f"{name}.pacbed")

    return make


@pytest.fixture(scope="session")
def polar_bundle(bundle_along):
    """GaAs [110]: one mirror line, no twofold axis along the beam."""
    return bundle_along("gaas", (1, 1, 0), grid=(32, 24), slices=2)


@pytest.fixture(scope="session")
def nonpolar_bundle(bundle_along):
    """Ge [110]: as `polar_bundle` but for its atoms, which are all of one kind."""
    return bundle_along("germanium", (1, 1, 0), grid=(32, 24), slices=2)


@pytest.fixture(scope="session")
def chiral_bundle(bundle_along):
    """Rutile [121]: neither a mirror line nor a twofold axis along the beam; only its upper Laue zones tell."""
    return bundle_along("rutile", (1, 2, 1), grid=(16, 20), slices=6)


@pytest.fixture(scope="session")
def recorded():
    """Function that records a pattern of a bundle's crystal, with counting noise."""

    def record(bundle, *, thickness_nm=9.0, rotation_deg=25.0, mirrored=False, electrons=1e7, seed=3):
        geometry = Geometry((110, 120), 0.3, (58.2, 55.9), rotation_deg, mirrored)
        image = bundle.renderer.render(
            thickness_nm=thickness_nm, convergence_mrad=9.0, geometry=geometry, blur_mrad=0.3, mistilt_mrad=(0.6, 0.3)
        )
        return np.random.default_rng(seed).poisson(np.clip(image, 0, None) * electrons).astype(np.float32)

    return record
