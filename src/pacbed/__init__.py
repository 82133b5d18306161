"""PACBED: specimen thickness from position-averaged convergent beam electron diffraction patterns."""

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
