"""Many patterns in a row: one line each, a table at the end, going on after a bad one."""

from __future__ import annotations

import errno
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pacbed.analysis.export.write import Export, export_result
from pacbed.analysis.options import PredictOptions
from pacbed.analysis.recording.formats.opening import one_line
from pacbed.analysis.report.names import names_for, predictions_in
from pacbed.analysis.report.predict_pattern import predict_pattern
from pacbed.analysis.report.predictions_table import COLUMNS, earlier_rows, write_table
from pacbed.analysis.result import Estimate, Result, with_std
from pacbed.analysis.steps import check_networks
from pacbed.bundle.reader import Bundle
from pacbed.errors import PacbedError
from pacbed.logs import LOGGER

DONE, REFUSED, BAD = 0, 1, 2
TABLE = "predictions.csv"
FILES = {"json": ".json", "png": ".png", "pdf": ".pdf", "match": "_match.tif"}  # ends of the names of what is written


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
    name : str
        Of result and sheet, without suffix; empty where there are none.
    exported : str
        What was written for another program, one line; empty where nothing was asked for.
    part : str
        Which pattern of the file it was, as `PredictOptions.part` says it.
    """

    pattern: Path
    result: Result | None = None
    error: str = ""
    name: str = ""
    exported: str = ""
    part: str = ""

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
        unexpected = f" (result: {self.name}.json)" if self.name not in ("", self.pattern.stem) else ""
        return f"{self.pattern.name}: {', '.join(said)}{unexpected}"

    def row(self) -> dict[str, str]:
        """Texts by `COLUMNS`, empty where nothing is known."""
        result = self.result
        pattern = f"{self.pattern}, {self.part}" if self.part else str(self.pattern)
        known: dict[str, str] = {"pattern": pattern, "verdict": "bad input", "reasons": self.error}
        if result is not None:
            thickness = result.thickness_nm
            known |= {
                "thickness_nm": _cell(thickness),
                "thickness_std_nm": _figure(None if thickness is None else thickness.std),
                "mistilt_mrad": _cell(result.mistilt_mrad),
                "mistilt_azimuth_deg": _cell(result.mistilt_azimuth_deg),
                "convergence_mrad": _cell(result.convergence_mrad),
                "pixel_mrad": _cell(result.pixel_mrad),
                "misfit": _figure(result.misfit),
                "verdict": result.verdict,
                "reasons": "; ".join(result.reasons),
                "result": f"{self.name}.json",
            }
        return {column: known.get(column, "") for column in COLUMNS}


def predict_files(
    bundle: Bundle,
    patterns: Sequence[Path],
    options: PredictOptions,
    *,
    out_dir: Path,
    tell: Callable[[Outcome], None],
    export: Export | None = None,
) -> int:
    """Predict each pattern, write result and sheet, and a table when there are several.

    Parameters
    ----------
    bundle : Bundle
    patterns : sequence of path
    options : PredictOptions
        Of every pattern.
    out_dir : path
        Receives result, sheet and best match of each pattern, with names from `names_for` and the ends of `FILES`, and
        ``predictions.csv``.
    tell : callable
        Called with each outcome as soon as it is there.
    export : Export, optional
        Write a first guess for this program as well.

    Returns
    -------
    int
        The worst status: 0 done, 1 refused, 2 bad input.

    Raises
    ------
    ParameterError
        Networks alone are asked for, and the bundle has none; or ``predictions.csv`` is a file of the user's.
    """
    check_networks(bundle, refine=options.refine)
    earlier = earlier_rows(out_dir / TABLE)
    outcomes = []
    read = [*patterns, *(Path(file) for file in (options.mask, options.vacuum) if isinstance(file, str | Path))]
    names = names_for(patterns, predictions_in(out_dir, list(FILES.values()), read, options.part), options.part)
    for pattern, name in zip(patterns, names, strict=True):
        outcome = replace(_predict_one(bundle, pattern, out_dir / name, options), part=options.part)
        if export is not None and outcome.result is not None:
            outcome = replace(outcome, exported=export_result(outcome.result, export, out_dir / name))
        tell(outcome)
        outcomes.append(outcome)
    if len(outcomes) > 1 or (outcomes and earlier):
        write_table([outcome.row() for outcome in outcomes], earlier, out_dir / TABLE)
    return max((outcome.status for outcome in outcomes), default=DONE)


def _predict_one(bundle: Bundle, pattern: Path, target: Path, options: PredictOptions) -> Outcome:
    out = {f"out_{kind}": target.with_name(f"{target.name}{end}") for kind, end in FILES.items()}
    try:
        result = predict_pattern(bundle, pattern, options, **out)
    except PacbedError as error:
        return Outcome(pattern, error=str(error))
    except OSError as error:
        if error.errno != errno.ENAMETOOLONG:  # of the folder, not of the pattern: the next would fail as well
            raise
        return Outcome(
            pattern, error=f"pattern: got the name {pattern.name}, accepted: one that leaves room for endings"
        )
    except Exception as error:  # a degenerate pattern, and the others go on
        LOGGER.debug("%s", pattern, exc_info=True)
        return Outcome(pattern, error=f"pattern: {pattern} cannot be analysed ({one_line(error)})")
    return Outcome(pattern, result, name=target.name)


def with_error(estimate: Estimate) -> str:
    """Value and standard deviation with the decimals that mean something, such as ``30.8 ± 0.6``."""
    return with_std(estimate, 1 if estimate.std is not None and estimate.std >= 0.1 else 2)


def _cell(estimate: Estimate | None) -> str:
    return _figure(None if estimate is None else estimate.value)


def _figure(value: float | None) -> str:
    return "" if value is None else f"{value:.6g}"
