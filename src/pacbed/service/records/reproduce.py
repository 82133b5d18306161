"""Repeats the look-up of a crate and compares the thickness."""

from __future__ import annotations

import json
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pacbed.analysis.options import PredictOptions
from pacbed.analysis.predict import predict
from pacbed.analysis.result import Result
from pacbed.bundle.archive import Archive
from pacbed.bundle.pretrained.cache import cache_folder
from pacbed.bundle.pretrained.names import shipped_bundles
from pacbed.bundle.reader import Bundle, load_bundle
from pacbed.errors import FormatError, PacbedError
from pacbed.service.records.crate import PATTERN, REQUEST, RESULT
from pacbed.service.workers.job import Job, RawFrame
from pacbed.service.workers.tasks import pattern_of

SAME_NM = 1e-6
LARGEST_MEMBER = 2**28  # bytes


@dataclass(frozen=True)
class Repeated:
    """A look-up and its repetition.

    Attributes
    ----------
    before, after : float or None
        Thickness [nm].
    verdicts : tuple of str
        Before and after.
    versions : tuple of str
        Packages whose version is another now.
    """

    before: float | None
    after: float | None
    verdicts: tuple[str, str]
    versions: tuple[str, ...]

    @property
    def same(self) -> bool:
        """Whether both agree, thickness to `SAME_NM`."""
        if self.before is None or self.after is None:
            return self.before is self.after and len(set(self.verdicts)) == 1
        return abs(self.before - self.after) <= SAME_NM and len(set(self.verdicts)) == 1


def reproduce(crate: Path, bundle: Path | None = None) -> Repeated:
    """Predict again what a crate holds.

    Parameters
    ----------
    crate : path
        From `write_crate`.
    bundle : path, optional
        By default the one that ships, or lies in the cache, under the crate's hash.

    Raises
    ------
    FormatError
        The crate is damaged, or its bundle is not at hand.
    """
    members = _members(crate)
    try:
        request, result = json.loads(members[REQUEST]), Result.model_validate_json(members[RESULT])
        pattern = next(name for name in members if name.startswith(PATTERN))
        options, raw = dict(request["options"]), request["raw"]
    except (KeyError, ValueError, TypeError, StopIteration) as error:
        raise FormatError(f"crate {crate}: damaged or incomplete ({type(error).__name__})") from None
    with tempfile.TemporaryDirectory() as folder:
        upload = Path(folder) / Path(pattern).name
        upload.write_bytes(members[pattern])
        frame = None if raw is None else RawFrame(**raw)
        job = Job(Path(folder), upload, result.provenance.input, Path(), Path(folder), options, frame)
        asked = PredictOptions(**options)
        known = {name: getattr(asked, name) for name in options if name != "dataset"}
        again = predict(_bundle(result.provenance.bundle_sha256, bundle), pattern_of(job), **known)
    versions = (result.provenance.versions, again.provenance.versions)
    changed = sorted(name for name in versions[0].keys() & versions[1].keys() if versions[0][name] != versions[1][name])
    return Repeated(_thickness(result), _thickness(again), (result.verdict, again.verdict), tuple(changed))


def _thickness(result: Result) -> float | None:
    return None if result.thickness_nm is None else result.thickness_nm.value


def _members(crate: Path) -> dict[str, bytes]:
    try:
        with zipfile.ZipFile(crate) as archive:
            if any(member.file_size > LARGEST_MEMBER for member in archive.infolist()):
                raise FormatError(
                    f"crate {crate}: got a member above {LARGEST_MEMBER} bytes, accepted: a crate of ours"
                )
            return {name: archive.read(name) for name in archive.namelist()}
    except (OSError, zipfile.BadZipFile, NotImplementedError) as error:
        raise FormatError(f"crate {crate}: missing or damaged ({type(error).__name__})") from None


def _bundle(sha256: str, given: Path | None) -> Bundle:
    """The bundle of a hash.

    Raises
    ------
    FormatError
    """
    places: list[Any] = [given] if given else [*shipped_bundles().values(), *sorted(cache_folder().glob("*.pacbed"))]
    for place in places:
        try:
            if Archive(place).sha256 == sha256:
                return load_bundle(place)
        except PacbedError:
            if given:
                raise
    raise FormatError(f"bundle: got none with the hash {sha256}, accepted: --bundle with the file of that hash")
