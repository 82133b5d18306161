from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from pacbed.analysis.fit.cutout import Cutout
from pacbed.analysis.fit.effects.trial import Fitted
from pacbed.analysis.fit.forward import ForwardModel
from pacbed.analysis.fit.refinement import fit
from pacbed.analysis.fit.restraints import Restraints
from pacbed.outline import find_outline
from pacbed.patterns import Geometry

RESTRAINTS = Restraints(14.0, 0.28)
GEOMETRY = Geometry((160, 150), 0.4, (70.3, 84.6), 25.0)
DAMAGE = ("none", "vacuum", "tilt_spread", "thickness_spread", "blurred_copy", "shading", "gamma")


@pytest.fixture(scope="session")
def clean(tiny_bundle, truth):
    """Function that renders the pattern of the truth with something else, shape (y, x) [fraction of the beam]."""

    def render(**other):
        at = replace(truth, **other)
        return tiny_bundle.renderer.render(
            thickness_nm=at.thickness_nm, convergence_mrad=14.0, geometry=GEOMETRY, mistilt_mrad=at.mistilt_mrad,
            blur_mrad=0.4,
        )  # fmt: skip

    return render


@pytest.fixture(scope="session")
def damaged(clean, truth):
    """Function that records the truth after an effect of a size: with counting noise of 2e7 electrons."""

    def record(name, size=0.0, electrons=2e7):
        rng, image = np.random.default_rng(5), clean()
        tilts, depths = rng.standard_normal((60, 2)), rng.standard_normal(60)
        if name == "vacuum":
            image = (1 - size) * image + size * clean(thickness_nm=0.0)
        elif name == "tilt_spread":
            image = np.mean([clean(mistilt_mrad=tuple(truth.mistilt_mrad + size * t)) for t in tilts], axis=0)
        elif name == "thickness_spread":
            image = np.mean([clean(thickness_nm=min(10.0, 8 * (1 + size * d))) for d in depths], axis=0)
        elif name == "blurred_copy":
            image = (1 - size) * image + size * ndimage.gaussian_filter(image, 0.15 * 14 / 0.4)
        elif name == "shading":
            image = image * (1 + size * (np.arange(150) - 70.3) * 0.4 / 14)
        counts = rng.poisson(electrons * image).astype(np.float32)
        return np.rint(255 * (counts / counts.max()) ** size).astype(np.float32) if name == "gamma" else counts

    return record


@pytest.fixture(scope="session")
def fitted(tiny_bundle, damaged, truth):
    """Function that fits what `damaged` recorded, as if nothing had happened; made once for each."""
    made = {}

    def work(name, size=0.0, **more):
        key = (name, size, *more.values())
        if key not in made:
            image = damaged(name, size, **more)
            model = ForwardModel(tiny_bundle.renderer, Cutout.around(image, find_outline(image), pixels=60))
            end = fit(model, truth, RESTRAINTS, steps=12)
            made[key] = Fitted.of(model, model, end.parameters, RESTRAINTS)
        return made[key]

    return work
