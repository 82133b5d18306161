"""What a worker process does: answer a pattern, render one, and warm up before the first request."""

from __future__ import annotations

import io
import os
from pathlib import Path

import numpy as np

from pacbed.analysis.options import PredictOptions
from pacbed.analysis.predict import analyse, predict
from pacbed.analysis.recording.formats.opening import one_line
from pacbed.analysis.recording.pattern_file import Pattern, pattern_from_array, read_pattern
from pacbed.analysis.render import render
from pacbed.analysis.report.comparison.kept import Kept
from pacbed.analysis.report.image_file import write_image
from pacbed.analysis.report.panels.misfit_profile import misfit_profile
from pacbed.analysis.report.sheet import draw_sheet
from pacbed.analysis.result import write_result
from pacbed.errors import FormatError, PacbedError, PatternError, bad_value
from pacbed.service.identity import identity_of
from pacbed.service.workers.job import PID, Done, Job, View
from pacbed.service.workers.open_bundles import opened

RESULT, SHEET, COMPARISON, ANSWER = "result.json", "sheet.png", "comparison.npz", "answer"
LARGEST_EDGE, SMALLEST_EDGE = 8192, 32


def look_up(job: Job) -> Done:
    """Answer a pattern; result and sheet go to the folder `ANSWER` of the job.

    Parameters
    ----------
    job : Job

    Returns
    -------
    Done
        With a trouble instead of an error, which would lose its kind between processes.
    """
    (job.folder / PID).write_text(str(os.getpid()))
    try:
        return _answered(job)
    except PacbedError as error:
        return Done(trouble=told(error, job))
    except OSError:  # of the disk, not of the pattern
        raise
    except Exception as error:  # a degenerate pattern, as `pacbed predict` has it
        return Done(trouble=f"pattern: {job.name} cannot be analysed ({told(error, job)})")


def _answered(job: Job) -> Done:
    bundle, options = opened(job.bundle), PredictOptions(**job.options)
    if job.bundle_sha256 not in ("", bundle.sha256):  # the file was replaced since the service looked at it
        raise FormatError(f"bundle: {job.bundle.name} was replaced a moment ago, accepted: the same question again")
    pattern = pattern_of(job)
    identity = identity_of(pattern, bundle.sha256, job.options)
    kept = job.kept / identity[:2] / identity
    if (kept / RESULT).is_file() and (not job.sheet or (kept / SHEET).is_file()):
        return Done(identity, known=True)
    analysis = analyse(bundle, pattern, options)
    answer = job.folder / ANSWER
    answer.mkdir()
    write_result(analysis.result, answer / RESULT)  # its names are those of the request when it is read
    if job.sheet:
        profile = misfit_profile(analysis)
        draw_sheet(analysis, answer / SHEET, profile=profile)
        Kept.of(analysis, profile).save(answer / COMPARISON)
    return Done(identity)


def pattern_of(job: Job) -> Pattern:
    """The upload as a pattern of a size that is served."""
    if job.raw is None:
        pattern = read_pattern(job.file, dataset=job.options.get("dataset"))
    else:
        content, (dtype, height, width) = job.file.read_bytes(), job.raw
        if len(content) != height * width * np.dtype(dtype).itemsize:
            size = f"{height} x {width} pixels of {dtype}"
            raise PatternError(f"{job.name}: got {len(content)} bytes, accepted: those of {size}")
        pattern = pattern_from_array(np.frombuffer(content, dtype).reshape(height, width), source=job.file.name)
    rows, columns = pattern.array.shape
    if max(rows, columns) > LARGEST_EDGE or min(rows, columns) < SMALLEST_EDGE:
        accepted = f"{SMALLEST_EDGE} to {LARGEST_EDGE} along each edge"
        raise PatternError(f"{job.name}: got {rows} x {columns} pixels, accepted: {accepted}")
    return pattern


def told(error: Exception, job: Job) -> str:
    """The sentence of an error with the sender's name instead of the path that the upload has here."""
    text = str(error) if isinstance(error, PacbedError) else one_line(error)
    return text.replace(str(job.file), job.name).replace(job.file.name, job.name).replace(str(job.folder), "")


def render_view(path: Path, view: View, kind: str) -> bytes:
    """A rendered pattern as the bytes of a file.

    Parameters
    ----------
    path : path
        The bundle.
    view : View
    kind : {"npy", "png"}
        Fractions of the beam per pixel, or 16-bit levels of the maximum.

    Raises
    ------
    ParameterError
        A value lies outside what the bundle can render.
    """
    try:
        image = render(opened(path), **view._asdict())
    except PacbedError:
        raise
    except Exception as error:  # whatever a degenerate view does to the renderer
        raise bad_value("view", tuple(view), f"what the bundle renders ({one_line(error)})") from None
    if kind == "npy":
        stream = io.BytesIO()
        np.save(stream, image)
        return stream.getvalue()
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        write_image(image, Path(folder) / "view.png")
        return (Path(folder) / "view.png").read_bytes()


def warm_up(path: Path) -> str:
    """Answer a pattern of a bundle's own, so that everything is compiled and loaded; returns the verdict."""
    bundle = opened(path)
    trained = bundle.meta.trained
    middle = sum(trained.convergence_mrad) / 2
    image = render(bundle, thickness_nm=sum(trained.thickness_nm) / 2, convergence_mrad=middle, pixels=128)
    noisy = np.random.default_rng(1).poisson(image * (2e6 / image.sum())).astype(np.float32)
    return str(predict(bundle, noisy, convergence_mrad=middle).verdict)


def stay() -> int:
    """Nothing, so that the process counts as used; returns its number."""
    return os.getpid()
