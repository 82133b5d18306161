"""What is kept of an analysis so that any candidate can be compared with its pattern later, without reading it again.

One NPZ file: the pattern as the fit sees it, at the resolution of the pictures and at that of the misfit curve, and as
JSON the best match, the effects in the answer, and the misfit curve with what was compared at each of its points.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np

from pacbed.analysis.attempts.refining import forward_model
from pacbed.analysis.fit.cutout import Cutout
from pacbed.analysis.fit.effects.consider import EFFECTS
from pacbed.analysis.fit.effects.effect import Applied
from pacbed.analysis.fit.forward import ForwardModel
from pacbed.analysis.fit.parameters import PatternParameters
from pacbed.analysis.fit.refinement import FINE, MIDDLE
from pacbed.analysis.predict import Analysis
from pacbed.analysis.report.comparison.place import Place
from pacbed.analysis.report.panels.misfit_profile import MisfitProfile
from pacbed.bundle.reader import Bundle
from pacbed.errors import FormatError
from pacbed.outline import Outline
from pacbed.outputs import file_aside, plain_json

SCHEMA_VERSION = 1
RESOLUTIONS = {"fine": FINE, "middle": MIDDLE}


@dataclass(frozen=True)
class Kept:
    """A pattern as its fit sees it, and the misfit curve.

    Attributes
    ----------
    cutouts : dict
        `Cutout` by resolution: "fine" for pictures, "middle" for misfits.
    best : PatternParameters
        The best match.
    mirrored : bool
        The camera shows the pattern mirrored.
    effects : tuple of Applied
        In the answer.
    outline : Outline
        Bright region of the pattern.
    curve : tuple of Place
        Points of the misfit curve by thickness, then the ends of refinements elsewhere.
    least : float
        Misfit that counts as 1.
    """

    cutouts: dict[str, Cutout]
    best: PatternParameters
    mirrored: bool
    effects: tuple[Applied, ...]
    outline: Outline
    curve: tuple[Place, ...]
    least: float

    @classmethod
    def of(cls, analysis: Analysis, profile: MisfitProfile) -> Self:
        """Keep an analysis and its misfit curve."""
        refinement, mirrored = analysis.refinement, analysis.model.mirrored
        points = zip(profile.places, profile.ratio.tolist(), strict=True)
        curve = [Place.of(at, ratio, mirrored=mirrored) for at, ratio in points]
        rivals = [(one.parameters, one.ratio) for one in profile.rivals]
        curve += [Place.of(at, ratio, mirrored=mirrored, refined=True) for at, ratio in rivals if at is not None]
        changes: Sequence[Any] = () if refinement is None else refinement.changes
        return cls(
            {name: forward_model(analysis.ready, one).cutout for name, one in RESOLUTIONS.items()},
            analysis.parameters,
            mirrored,
            tuple(change for change in changes if isinstance(change, Applied)),
            analysis.ready.outline,
            tuple(curve),
            profile.least,
        )

    def model(self, bundle: Bundle, resolution: str) -> ForwardModel:
        """Forward model of the pattern at a resolution, with the effects of the answer."""
        model = ForwardModel(bundle.renderer, self.cutouts[resolution], mirrored=self.mirrored)
        for effect in self.effects:
            model = effect(model)
        return model

    def save(self, path: Path) -> None:
        """Write the file; it appears complete or not at all."""
        arrays: dict[str, np.ndarray] = {}
        places = {}
        for name, cutout in self.cutouts.items():
            arrays |= {f"{name}_values": cutout.values.astype(np.float32), f"{name}_mask": cutout.mask}
            places[name] = {key: getattr(cutout, key) for key in ("factor", "origin_px", "dark", "bright")}
        facts = {
            "schema_version": SCHEMA_VERSION,
            "cutouts": places,
            "best": asdict(self.best),
            "mirrored": self.mirrored,
            "effects": [[one.effect.name, list(one.amounts)] for one in self.effects],
            "outline": asdict(self.outline),
            "curve": [[*asdict(one).values()] for one in self.curve],
            "least": self.least,
        }
        with file_aside(path) as aside, aside.open("wb") as file:
            np.savez_compressed(file, facts=np.array(json.dumps(plain_json(facts))), **arrays)  # type: ignore[arg-type]


def read_kept(path: Path) -> Kept:
    """Read what was kept.

    Raises
    ------
    FormatError
        Damaged, or of another version.
    """
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as file:
            facts = json.loads(str(file["facts"]))
            arrays = {name: file[name] for name in file.files if name != "facts"}
        if facts["schema_version"] != SCHEMA_VERSION:
            raise FormatError(f"{path.name}: got schema_version {facts['schema_version']}, accepted: {SCHEMA_VERSION}")
        return _kept(facts, arrays)
    except (OSError, EOFError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
        if isinstance(error, FormatError):
            raise
        raise FormatError(f"{path.name}: damaged, or no comparison ({type(error).__name__})") from None


def _kept(facts: dict[str, Any], arrays: dict[str, np.ndarray]) -> Kept:
    outline = Outline(**_with_tuples(facts["outline"]))
    cutouts = {
        name: Cutout.again(
            arrays[f"{name}_values"].astype(float),
            arrays[f"{name}_mask"],
            one["factor"],
            tuple(one["origin_px"]),
            outline,
            dark=one["dark"],
            bright=one["bright"],
        )
        for name, one in facts["cutouts"].items()
    }
    known = {one.name: one for one in EFFECTS}
    return Kept(
        cutouts,
        PatternParameters(**_with_tuples(facts["best"])),
        facts["mirrored"],
        tuple(Applied(known[name], tuple(amounts)) for name, amounts in facts["effects"]),
        outline,
        tuple(Place(*one) for one in facts["curve"]),
        facts["least"],
    )


def _with_tuples(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in fields.items()}
