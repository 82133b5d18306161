"""Every method in turn: what it answers to a pattern of known truth, and how long it takes."""

from __future__ import annotations

import copy
import logging
import time
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from pacbed.analysis.estimates import simulated_pixel_mrad
from pacbed.analysis.fit.matching.match import choose_starts, match
from pacbed.analysis.fit.restraints import ELLIPSE_PERCENT
from pacbed.analysis.libraries.of_angle import library_for
from pacbed.analysis.options import PredictOptions
from pacbed.analysis.predict import analyse
from pacbed.analysis.result import Result
from pacbed.analysis.steps import prepare
from pacbed.bundle.reader import Bundle
from pacbed.errors import PacbedError
from pacbed.evaluation.answers import FLOOR, METHODS, Answer, AnswerBook, Recording
from pacbed.evaluation.floor import cramer_rao_floor
from pacbed.evaluation.nearest import Nearest, NearestImage
from pacbed.evaluation.noise import Noise
from pacbed.evaluation.truths import Stack, Truth
from pacbed.logs import progress

log = logging.getLogger(__name__)
GIVEN_DIGITS = 1  # a user notes the convergence angle to 0.1 mrad
CANDIDATES = 3  # of the library match, as many as the networks may give
TOGETHER = 128  # images compared with the stack at once: each series is read once for all of them
LEAST_SQUARES = ("least_squares_no_tilt", "least_squares")
FITS = ("match_refinement", "networks_refinement")


@dataclass(frozen=True)
class Workshop:
    """Everything the methods share.

    Attributes
    ----------
    bundle : Bundle
        Answers.
    stack : Stack
        The library of the least squares, and the frame.
    seed : int
        Of the noise.
    methods : tuple of str
        Which of `METHODS` answer; those with networks are passed over where there are none.
    """

    bundle: Bundle
    stack: Stack
    seed: int
    methods: tuple[str, ...] = METHODS

    @property
    def asked(self) -> list[str]:
        """The methods that can answer."""
        return [name for name in self.methods if self.bundle.networks or not name.startswith("networks")]


def answer_all(
    shop: Workshop,
    book: AnswerBook,
    kind: str,
    truths: Sequence[Truth],
    levels: Sequence[Noise],
    *,
    fitted: Container[int] | None = None,
) -> None:
    """Let every method answer every pattern at every level; what the book holds already is not asked again.

    Parameters
    ----------
    shop : Workshop
    book : AnswerBook
        Receives the answers.
    kind : str
        Where the patterns come from, one of `KINDS`.
    truths : sequence of Truth
    levels : sequence of Noise
    fitted : container of int, optional
        Numbers of the patterns that are fitted and whose floor is worked out, which takes many times as long as
        everything else; by default all.
    """
    recordings = [
        Recording(kind, number, truth, level, shop.seed) for number, truth in enumerate(truths) for level in levels
    ]
    for batch in _same_angle(shop, book, recordings):
        book.add(_least_squares(shop, batch))
    recordings.sort(key=lambda one: one.truth.parameters.convergence_mrad)  # patterns of one angle share a library
    for recording in progress(recordings, total=len(recordings), label=f"{kind} patterns evaluated"):
        whole = fitted is None or recording.number in fitted
        if whole and recording.blank(FLOOR).key not in book and not recording.noise.none:
            book.add([_floor(shop, recording)])
        for method in shop.asked:
            asked = method not in LEAST_SQUARES and (whole or method not in FITS)
            if asked and recording.blank(method).key not in book:
                book.add([_answered(shop, recording, method)])


def _same_angle(shop: Workshop, book: AnswerBook, recordings: Iterable[Recording]) -> Iterator[list[Recording]]:
    """Recordings that least squares have not answered, in batches that share a convergence angle of the stack."""
    wanted = [name for name in LEAST_SQUARES if name in shop.asked]
    nearest, groups = NearestImage(shop.stack), dict[int, list[Recording]]()
    for one in recordings:
        if any(one.blank(name).key not in book for name in wanted):
            groups.setdefault(nearest.angle(one.truth.parameters.convergence_mrad), []).append(one)
    for group in groups.values():
        for first in range(0, len(group), TOGETHER):
            yield group[first : first + TOGETHER]


def _least_squares(shop: Workshop, batch: list[Recording]) -> Iterator[Answer]:
    """Answers of both least squares; the time of one is its share of the batch's."""
    nearest = NearestImage(shop.stack)
    angle = nearest.angle(batch[0].truth.parameters.convergence_mrad)
    images = np.stack([one.aligned for one in batch])
    for method in LEAST_SQUARES:
        if method not in shop.asked:
            continue
        tilted, started = method == "least_squares", time.process_time()
        pairs = nearest.find(images, angle, tilted=tilted)
        cpu_s = (time.process_time() - started) / len(batch)
        for one, pair in zip(batch, pairs, strict=True):
            yield _of_image(shop, one, method, pair.of_all if tilted else pair.untilted, cpu_s)


def _of_image(shop: Workshop, one: Recording, method: str, found: Nearest, cpu_s: float) -> Answer:
    at = one.truth.parameters
    frame = shop.stack.aligned_frame(at.mistilt_mrad, shop.bundle.table.group)
    apart = frame.to_image(np.array(at.mistilt_mrad)) - found.mistilt_mrad
    tilted = method == "least_squares"
    return replace(
        one.blank(method),
        thickness_nm=found.thickness_nm,
        candidates_nm=(found.thickness_nm,),
        mistilt_mrad=float(np.hypot(*found.mistilt_mrad)) if tilted else None,
        mistilt_vector_error_mrad=float(np.hypot(*apart)) if tilted else None,
        cpu_s=cpu_s,
    )


def _answered(shop: Workshop, recording: Recording, method: str) -> Answer:
    """Answer of a prediction that a user would get; a pattern that cannot be used is one without an answer."""
    camera = recording.camera
    given = round(recording.truth.parameters.convergence_mrad, GIVEN_DIGITS)
    try:
        library_for(shop.bundle, given)  # made once for all patterns of an angle: not this pattern's time
        started = time.process_time()
        if method == "match":
            answer = _matched(shop, recording, camera, given)
        else:
            bundle = without_networks(shop.bundle) if method == "match_refinement" else shop.bundle
            options = PredictOptions(convergence_mrad=given, refine=method != "networks")
            answer = _predicted(bundle, recording, method, camera, options)
    except PacbedError as error:
        log.warning("%s pattern at noise %s, number %d, %s: %s", *recording.blank(method).key, error)
        return recording.blank(method)
    return replace(answer, cpu_s=time.process_time() - started)


def without_networks(bundle: Bundle) -> Bundle:
    """The same bundle as if it had been made without networks; table, renderer and libraries are shared."""
    bare = copy.copy(bundle)
    bare.__dict__["networks"] = {}  # where its cached property keeps them
    return bare


def _predicted(
    bundle: Bundle, recording: Recording, method: str, camera: np.ndarray, options: PredictOptions
) -> Answer:
    result = analyse(bundle, camera, options).result
    thickness, mistilt, scale = result.thickness_nm, result.mistilt_mrad, result.scale
    found = replace(
        recording.blank(method),
        mistilt_mrad=None if mistilt is None else mistilt.value,
        mistilt_vector_error_mrad=_vector_error(result, recording.truth),
        scale=None if scale is None else scale.value,
        verdict=result.verdict,
    )
    if thickness is None:
        return found
    return replace(
        found,
        thickness_nm=thickness.value,
        thickness_std_nm=thickness.std,
        thickness_std_statistical_nm=thickness.std_statistical,
        interval_90_nm=thickness.interval_90,
        candidates_nm=(thickness.value,) if options.refine else tuple(one.value for one in result.thickness_candidates),
    )


def _matched(shop: Workshop, recording: Recording, camera: np.ndarray, given: float) -> Answer:
    ready = prepare(shop.bundle, camera, PredictOptions(convergence_mrad=given))
    starts = choose_starts(match(ready.array, ready.outline, ready.library), count=CANDIDATES)
    best, truth = starts[0].parameters, recording.truth.parameters
    return replace(
        recording.blank("match"),
        thickness_nm=best.thickness_nm,
        candidates_nm=tuple(start.parameters.thickness_nm for start in starts),
        mistilt_mrad=float(np.hypot(*best.mistilt_mrad)),
        mistilt_vector_error_mrad=float(np.hypot(*(best.mistilt_in_image() - truth.mistilt_in_image()))),
        scale=best.pixel_mrad / simulated_pixel_mrad(shop.bundle.meta),
    )


def _vector_error(result: Result, truth: Truth) -> float | None:
    """Length of the difference of the mistilt vectors in the image; None where there is no direction."""
    x, y = result.mistilt_x_mrad, result.mistilt_y_mrad
    if x is None or y is None:
        return None
    return float(np.hypot(*(np.array([x.value, y.value]) - truth.parameters.mistilt_in_image())))


def _floor(shop: Workshop, recording: Recording) -> Answer:
    """The smallest possible standard deviations."""
    at, renderer = recording.truth.parameters, shop.bundle.renderer
    ellipse = dict.fromkeys(("ellipse_plus_percent", "ellipse_cross_percent"), ELLIPSE_PERCENT)
    prior = {"convergence_mrad": shop.bundle.meta.priors.convergence_relative * at.convergence_mrad, **ellipse}
    noise = recording.noise.of_floor(len(recording.truth.camera), recording.truth.in_field)
    floor = cramer_rao_floor(renderer, at, recording.truth.camera.shape, prior_std=prior, **noise)
    return replace(
        recording.blank(FLOOR), thickness_std_nm=floor.std["thickness_nm"], mistilt_vector_error_mrad=floor.mistilt_mrad
    )
