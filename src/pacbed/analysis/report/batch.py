"""Many patterns in a row: one line each, a table at the end, going on after a bad one."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pacbed.analysis.options import PredictOptions
from pacbed.analysis.report.predict_pattern import predict_pattern
from pacbed.analysis.result import Estimate, Result, with_std
from pacbed.analysis.steps import check_networks
from pacbed.bundle.reader import Bundle
from pacbed.errors import PacbedError, bad_value
from pacbed.outputs import write_text

DONE, REFUSED, BAD = 0, 1, 2
FILES = {"json": ".json", "png": ".png", "pdf": ".pdf", "match": "_match.tif"}  # ends of the names of what is written
COLUMNS = (
    *("pattern", "thickness_nm", "thickness_std_nm", "mistilt_mrad", "mistilt_azimuth_deg", "convergence_mrad"),
    *("pixel_mrad", "misfit", "verdict", "reasons"),
)


@dataclass(frozen=True)
class Outcome:
    """What became of one pattern: a result, or an error.

    Attributes
    ----------
    pattern : Path
    result : Result or None
        None where the pattern cannot be used.
    error : str
        Why not, one line.
    """

    pattern: Path
    result: Result | None = None
    error: str = ""

    @property
    def status(self) -> int:
        """0 done (also doubtful), 1 refused, 2 bad input."""
        if self.result is None:
            return BAD
        return REFUSED if self.result.verdict == "refused" else DONE

    def line(self) -> str:
        """One line for a terminal."""
        if self.result is None:
            return f"{self.pattern.name}: {self.error}"
        result, said = self.result, []
        if result.thickness_nm is not None:
            said.append(f"{with_error(result.thickness_nm)} nm")
        if result.mistilt_mrad is not None:
            towards = f" towards {result.mistilt_azimuth_deg.value:.0f}°" if result.mistilt_azimuth_deg else ""
            said.append(f"mistilt {with_error(result.mistilt_mrad)} mrad{towards}")
        said.append(": ".join([result.verdict, *(["; ".join(result.reasons)] if result.reasons else [])]))
        return f"{self.pattern.name}: {', '.join(said)}"

    def row(self) -> list[Any]:
        """Values of `COLUMNS`."""
        result = self.result
        if result is None:
            return [str(self.pattern), *[""] * 7, "bad input", self.error]
        values = (result.mistilt_mrad, result.mistilt_azimuth_deg, result.convergence_mrad, result.pixel_mrad)
        thickness = result.thickness_nm
        return [
            str(self.pattern),
            _cell(thickness),
            "" if thickness is None or thickness.std is None else f"{thickness.std:.6g}",
            *(_cell(value) for value in values),
            "" if result.misfit is None else f"{result.misfit:.6g}",
            result.verdict,
            "; ".join(result.reasons),
        ]


def predict_files(
    bundle: Bundle,
    patterns: Sequence[Path],
    options: PredictOptions,
    *,
    out_dir: Path,
    tell: Callable[[Outcome], None],
) -> int:
    """Predict each pattern, write result and sheet, and a table when there are several.

    Parameters
    ----------
    bundle : Bundle
    patterns : sequence of path
    options : PredictOptions
        Of every pattern.
    out_dir : path
        Receives result, sheet and best match of each pattern, with the ends of `FILES`.
    tell : callable
        Called with each outcome as soon as it is there.

    Returns
    -------
    int
        The worst status: 0 done, 1 refused, 2 bad input.

    Raises
    ------
    ParameterError
        Networks alone are asked for, and the bundle has none.
    """
    check_networks(bundle, refine=options.refine)
    outcomes, inputs = [], {pattern.resolve() for pattern in patterns}
    for pattern, name in zip(patterns, unique_names(patterns), strict=True):
        outcome = _predict_one(bundle, pattern, out_dir / name, options, inputs)
        tell(outcome)
        outcomes.append(outcome)
    if len(outcomes) > 1:
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(outcome.row() for outcome in outcomes)
        write_text(text.getvalue(), out_dir / "predictions.csv")
    return max((outcome.status for outcome in outcomes), default=DONE)


def _predict_one(
    bundle: Bundle, pattern: Path, target: Path, options: PredictOptions, inputs: Collection[Path]
) -> Outcome:
    out = {f"out_{kind}": target.with_name(f"{target.name}{end}") for kind, end in FILES.items()}
    try:
        for path in out.values():
            if path.resolve() in inputs:
                raise bad_value("out", str(target.parent), f"a folder in which the sheet does not replace {path.name}")
        return Outcome(pattern, predict_pattern(bundle, pattern, options, **out))
    except PacbedError as error:
        return Outcome(pattern, error=str(error))


def unique_names(patterns: Sequence[Path]) -> Iterator[str]:
    """File stems; equal ones get a number."""
    seen: dict[str, int] = {}
    for pattern in patterns:
        seen[pattern.stem] = seen.get(pattern.stem, 0) + 1
        yield pattern.stem if seen[pattern.stem] == 1 else f"{pattern.stem}_{seen[pattern.stem]}"


def with_error(estimate: Estimate) -> str:
    """Value and standard deviation with the decimals that mean something, such as ``30.8 ± 0.6``."""
    return with_std(estimate, 1 if estimate.std is not None and estimate.std >= 0.1 else 2)


def _cell(estimate: Estimate | None) -> str:
    return "" if estimate is None else f"{estimate.value:.6g}"
