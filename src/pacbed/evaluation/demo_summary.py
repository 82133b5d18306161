"""What the demo found against the truth of its simulated experiments, as a table on the terminal.

python -m pacbed.evaluation.demo_summary results/demo --truth examples/srtio3_200kv/truth.json [--check]
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from pacbed.analysis.result import Estimate, Result, read_result, with_std
from pacbed.errors import FormatError
from pacbed.patterns import polar_to_vector

# What the demo promises.
THICKNESS_NM = 1.0
MISTILT_MRAD = 0.5
CANDIDATES = 3
CANDIDATE_NM = 5.0
CANDIDATE_SHARE = 2 / 3


class Row(NamedTuple):
    """A line of the table."""

    pattern: str
    origin: str
    thickness: str
    mistilt: str
    verdict: str


TITLES = Row("pattern", "", "thickness [nm]", "mistilt [mrad]", "verdict")


@dataclass(frozen=True)
class Experiment:
    """The result of one pattern, and its truth where that is known.

    Attributes
    ----------
    name : str
    result : Result
    truth : mapping or None
        ``thickness_nm`` [nm], ``mistilt_mrad`` [mrad], ``mistilt_azimuth_deg`` [deg], in the frame of the image.
    """

    name: str
    result: Result
    truth: Mapping[str, Any] | None = None

    @property
    def thickness_error_nm(self) -> float | None:
        """Refined thickness minus truth."""
        found = self.result.thickness_nm
        return None if self.truth is None or found is None else found.value - self.truth["thickness_nm"]

    @property
    def mistilt_error_mrad(self) -> float | None:
        """Length of the difference of the mistilt vectors, refined and true."""
        x, y = self.result.mistilt_x_mrad, self.result.mistilt_y_mrad
        if self.truth is None or x is None or y is None:
            return None
        true = polar_to_vector(self.truth["mistilt_mrad"], self.truth["mistilt_azimuth_deg"])
        return math.hypot(x.value - true[0], y.value - true[1])

    @property
    def candidate_error_nm(self) -> float | None:
        """Distance of the nearest candidate of the networks from the truth."""
        candidates = self.result.thickness_candidates[:CANDIDATES]
        if self.truth is None or not candidates:
            return None
        return min(abs(one.value - self.truth["thickness_nm"]) for one in candidates)


@dataclass(frozen=True)
class Requirement:
    """One promise of the demo and whether it was kept."""

    text: str
    kept: bool


def read_experiments(results_dir: str | Path, truth_file: str | Path) -> list[Experiment]:
    """Read all predictions below a system's results, those with a known truth first.

    Raises
    ------
    FormatError
        A file is missing or damaged; all of them are named.
    """
    truths = {name: value for name, value in _read_json(Path(truth_file)).items() if isinstance(value, Mapping)}
    folder = Path(results_dir) / "predictions"
    others = sorted(file.stem for file in folder.glob("*.json") if file.stem not in truths)
    missing = [str(folder / f"{name}.json") for name in truths if not (folder / f"{name}.json").is_file()]
    if missing:
        raise FormatError(f"results: {', '.join(missing)} missing, accepted: what make demo writes")
    return [Experiment(name, read_result(folder / f"{name}.json"), truths.get(name)) for name in (*truths, *others)]


def check_requirements(experiments: Sequence[Experiment]) -> list[Requirement]:
    """Compare the experiments that have a truth with what the demo promises."""
    known = [experiment for experiment in experiments if experiment.truth is not None]
    thin = [_within(experiment.thickness_error_nm, THICKNESS_NM) for experiment in known]
    tilt = [_within(experiment.mistilt_error_mrad, MISTILT_MRAD) for experiment in known]
    seen = [_within(experiment.candidate_error_nm, CANDIDATE_NM) for experiment in known]
    total = len(known)
    needed = math.ceil(CANDIDATE_SHARE * total - 1e-9)
    return [
        Requirement(f"refined thickness within {THICKNESS_NM:g} nm: {sum(thin)} of {total} (required: all)", all(thin)),
        Requirement(f"refined mistilt within {MISTILT_MRAD:g} mrad: {sum(tilt)} of {total} (required: all)", all(tilt)),
        Requirement(
            f"networks alone, truth within {CANDIDATE_NM:g} nm of one of {CANDIDATES} candidates: "
            f"{sum(seen)} of {total} (required: {needed})",
            sum(seen) >= needed,
        ),
    ]


def format_summary(experiments: Sequence[Experiment], results_dir: str | Path) -> str:
    """The table, the promises and where to look."""
    blocks = [_rows(experiment) for experiment in experiments]
    columns = zip(TITLES, *(row for block in blocks for row in block), strict=True)
    widths = [max(map(len, column)) for column in columns]
    ruler = "  ".join("-" * width for width in widths)
    lines = ["", _line(TITLES, widths)]
    for experiment, block in zip(experiments, blocks, strict=True):
        lines += [ruler, *(_line(row, widths) for row in block)]
        lines += [f"  {experiment.result.verdict}: {reason}" for reason in experiment.result.reasons]
    lines += [ruler, ""]
    lines += [f"[{'ok' if one.kept else 'FAILED':^6}] {one.text}" for one in check_requirements(experiments)]
    return "\n".join([*lines, "", *_places(experiments, Path(results_dir))])


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m pacbed.evaluation.demo_summary", description=__doc__.splitlines()[0]
    )
    parser.add_argument("results", nargs="?", type=Path, default=Path("results/demo"), help="results of the system")
    parser.add_argument("--truth", type=Path, default=Path("examples/srtio3_200kv/truth.json"), help="the true values")
    parser.add_argument("--check", action="store_true", help="exit 1 where a promise of the demo is not kept")
    given = parser.parse_args(arguments)
    try:
        experiments = read_experiments(given.results, given.truth)
    except FormatError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(format_summary(experiments, given.results))
    return int(given.check and not all(one.kept for one in check_requirements(experiments)))


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def _rows(experiment: Experiment) -> list[Row]:
    """Lines of one pattern: truth, networks alone, refined, error."""
    truth, result = experiment.truth, experiment.result
    rows = []
    if truth is not None:
        tilt = _polar(truth["mistilt_mrad"], truth["mistilt_azimuth_deg"])
        rows.append(Row("", "truth", f"{truth['thickness_nm']:.2f}", tilt, ""))
    candidates = ", ".join(_class(one.value, one.probability) for one in result.thickness_candidates)
    rows.append(Row("", "networks", candidates or "-", _network_mistilt(result), ""))
    tilt = _estimate(result.mistilt_mrad, result.mistilt_azimuth_deg)
    rows.append(Row("", "refined", _estimate(result.thickness_nm), tilt, result.verdict))
    if truth is not None:
        rows.append(
            Row("", "error", _signed(experiment.thickness_error_nm), _unsigned(experiment.mistilt_error_mrad), "")
        )
    return [rows[0]._replace(pattern=experiment.name), *rows[1:]]


def _places(experiments: Sequence[Experiment], results: Path) -> list[str]:
    report = results / "report.html"
    lines = [f"report   {report}{'' if report.is_file() else ' (not written yet)'}"]
    sheets = [results / "predictions" / f"{experiment.name}.png" for experiment in experiments]
    return lines + [f"sheet    {sheet}{'' if sheet.is_file() else ' (missing)'}" for sheet in sheets]


def _network_mistilt(result: Result) -> str:
    """The mistilt network's most probable class."""
    network = result.networks.get("mistilt")
    if network is None:
        return "-"
    probability, value = max(zip(network.probability, network.class_values, strict=True))
    return _class(value, probability)


def _class(value: float, probability: float) -> str:
    return f"{value:.3g} ({100 * probability:.0f} %)"


def _estimate(quantity: Estimate | None, azimuth: Estimate | None = None) -> str:
    if quantity is None:
        return "-"
    return with_std(quantity, 2) + ("" if azimuth is None else f" at {azimuth.value % 360:.0f} deg")


def _polar(size_mrad: float, azimuth_deg: float) -> str:
    return f"{size_mrad:.2f} at {azimuth_deg % 360:.0f} deg"


def _signed(error: float | None) -> str:
    return "-" if error is None else f"{error:+.2f}"


def _unsigned(error: float | None) -> str:
    return "-" if error is None else f"{error:.2f} (vector)"


def _within(error: float | None, limit: float) -> bool:
    return error is not None and abs(error) <= limit


def _read_json(file: Path) -> dict[str, Any]:
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise FormatError(f"{file}: cannot be read ({error}), accepted: a file written by make demo") from error
    if not isinstance(content, dict):
        raise FormatError(f"{file}: got a {type(content).__name__}, accepted: a JSON object")
    return content


if __name__ == "__main__":
    sys.exit(main())
