"""What a worker process draws for the pages: previews, candidates beside a pattern, and files that are asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from pacbed.analysis.options import PredictOptions
from pacbed.analysis.predict import Analysis, analyse
from pacbed.analysis.report.comparison.candidate import Wanted, compare
from pacbed.analysis.report.comparison.kept import Kept, read_kept
from pacbed.analysis.report.comparison.place import Place
from pacbed.analysis.report.comparison.preview import Preview, preview
from pacbed.analysis.report.image_file import write_image
from pacbed.analysis.report.match_image import match_image
from pacbed.analysis.report.panels.misfit_profile import misfit_profile
from pacbed.analysis.report.sheet import draw_sheet
from pacbed.errors import PacbedError, PatternError
from pacbed.service.workers.job import Job
from pacbed.service.workers.open_bundles import opened
from pacbed.service.workers.tasks import COMPARISON, pattern_of, told

SAME_NM = 1e-6


class Drawn(NamedTuple):
    """What was drawn, or why it could not be.

    Attributes
    ----------
    content : bytes
        A file; empty where there is none.
    place : Place or None
        Of a candidate.
    seen : Preview or None
        Of a preview.
    trouble : str
        One line.
    """

    content: bytes = b""
    place: Place | None = None
    seen: Preview | None = None
    trouble: str = ""


def glance(job: Job) -> Drawn:
    """A preview of an upload."""
    return _without_errors(job, lambda: Drawn(seen=preview(pattern_of(job))))


def candidate(bundle: Path, file: Path, wanted: Wanted) -> Drawn:
    """A candidate beside the pattern of a look-up.

    Parameters
    ----------
    bundle : path
        The ``.pacbed`` file.
    file : path
        What was kept for comparisons.
    wanted : Wanted
    """
    try:
        found = compare(opened(bundle), read_kept(file), wanted)
    except PacbedError as error:
        return Drawn(trouble=str(error))
    return Drawn(found.png, place=found.place)


def comparison(job: Job, thickness_nm: float | None) -> Drawn:
    """What is kept for comparisons, of a look-up that was answered without: the bytes of the file.

    Parameters
    ----------
    job : Job
        As it was answered; its file is the upload in the store.
    thickness_nm : float or None
        What the answer was [nm]: another version of the package may say something else, and must not be mixed with it.
    """

    def draw() -> Drawn:
        analysis = _again(job, thickness_nm)
        file = job.folder / COMPARISON
        Kept.of(analysis, misfit_profile(analysis)).save(file)
        return Drawn(file.read_bytes())

    return _without_errors(job, draw)


def sheet(job: Job, thickness_nm: float | None, suffix: str) -> Drawn:
    """The sheet of a look-up as ``.png`` or ``.pdf``; arguments as for `comparison`."""

    def draw() -> Drawn:
        file = job.folder / f"sheet{suffix}"
        draw_sheet(_again(job, thickness_nm), file)
        return Drawn(file.read_bytes())

    return _without_errors(job, draw)


def best_match(job: Job, thickness_nm: float | None) -> Drawn:
    """The best match on the pixels of the pattern as TIFF; arguments as for `comparison`."""

    def draw() -> Drawn:
        analysis = _again(job, thickness_nm)
        file = job.folder / "match.tif"
        write_image(match_image(analysis), file, pixel_mrad=analysis.parameters.pixel_mrad)
        return Drawn(file.read_bytes())

    return _without_errors(job, draw)


def _again(job: Job, thickness_nm: float | None) -> Analysis:
    pattern = replace(pattern_of(job), source=job.name)
    analysis = analyse(opened(job.bundle), pattern, PredictOptions(**job.options))
    found = analysis.result.thickness_nm
    if (found is None) != (thickness_nm is None) or (
        found is not None and thickness_nm is not None and abs(found.value - thickness_nm) > SAME_NM
    ):
        raise PatternError(
            f"{job.name}: answered by another version, which this one does not repeat; send the pattern again"
        )
    return analysis


def _without_errors(job: Job, draw: Callable[[], Drawn]) -> Drawn:
    """Errors as sentences, which would lose their kind between processes."""
    try:
        return draw()
    except OSError:  # of the disk, not of the pattern
        raise
    except Exception as error:  # a degenerate pattern as well
        return Drawn(trouble=told(error, job))
