"""PACBED: specimen thickness from position-averaged convergent beam electron diffraction patterns.

    CIF -> slices -> waves -> rocking table -> pattern -> stack -> networks -> bundle -> thickness

Every arrow has a room, a folder of this package:

    CIF -> slices              `crystal`, `simulation.structure`
    slices -> waves            `simulation.multislice`
    waves -> rocking table     `simulation.table`
    rocking table -> pattern   `simulation.rendering`
    pattern -> stack           `simulation.stack`
    stack -> networks          `networks`, `learning`
    networks -> bundle         `bundle`
    bundle -> thickness        `analysis`

Around them: `config` (what a user writes), `workflow` (what Snakemake asks), `simulation.scan` and `simulation.checks`
(a second engine, and whether the first is good enough), `evaluation` (what a thickness is worth). The whole house with
its files and functions: docs/architecture.md.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pacbed.analysis.predict import predict
    from pacbed.analysis.render import render
    from pacbed.bundle.reader import load_bundle

__all__ = ["load_bundle", "predict", "render"]
# Imported when first used: reading a configuration must not load numba.
_HOMES = {
    "load_bundle": "pacbed.bundle.reader",
    "predict": "pacbed.analysis.predict",
    "render": "pacbed.analysis.render",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
