"""The identity of a look-up: a hash of everything that its answer follows from."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np

from pacbed.analysis.recording.pattern_file import Pattern
from pacbed.logs import installed_versions
from pacbed.outputs import plain_json

IDENTITY_VERSION = 1  # raised where the same question gets another answer without another version of a package


def identity_of(pattern: Pattern, bundle_sha256: str, options: Mapping[str, Any]) -> str:
    """SHA-256, in hexadecimal digits, of the decoded pattern, the bundle, the parameters and the versions in use.

    Parameters
    ----------
    pattern : Pattern
        As it was read, with what its file states.
    bundle_sha256 : str
        Hash of the bundle.
    options : mapping
        What was asked.
    """
    pixels = np.ascontiguousarray(pattern.array)
    saturated = None if pattern.saturated is None else hashlib.sha256(pattern.saturated.tobytes()).hexdigest()
    facts = {
        "pixels": hashlib.sha256(pixels.tobytes()).hexdigest(),
        "shape": pixels.shape,
        "saturated": saturated,
        "stated": pattern.calibration,
    }
    return question_of(facts, bundle_sha256, options)


def question_of(pattern: Mapping[str, Any], bundle_sha256: str, options: Mapping[str, Any]) -> str:
    """The same of a pattern that is described by plain values, such as the hash of its file."""
    content = {
        "identity": IDENTITY_VERSION,
        "pattern": pattern,
        "bundle": bundle_sha256,
        "options": dict(options),
        "versions": _versions(),
    }
    text = json.dumps(plain_json(content), sort_keys=True, ensure_ascii=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


@cache
def _versions() -> dict[str, str]:
    """Versions in use, which stay while a process lives."""
    return installed_versions()
