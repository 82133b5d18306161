"""What `pacbed advise` promises against what refined patterns scatter by.

    python benchmarks/advise.py [NAME...]

draws patterns of two thicknesses at the narrowest and the widest angle of each bundle, by default of two that ship,
with counted electrons; angle and ellipse miss what the fit is told by the widths of its restraints. Each is predicted
as a recording would be. Writes ``benchmarks/advise.json``, ``advise.md`` and a picture of each bundle's advice,
``advise_<name>.png``. A bundle measured before keeps its figures until it is measured again.
"""

from __future__ import annotations

import argparse
import json
import platform
import resource
from dataclasses import replace
from pathlib import Path
from textwrap import fill

import numpy as np

from pacbed.analysis.fit.restraints import ELLIPSE_PERCENT, Restraints
from pacbed.analysis.predict import predict
from pacbed.bundle.reader import Bundle, load_bundle
from pacbed.evaluation.advice.advise import Advice, advise
from pacbed.evaluation.advice.expected import centred, expected_counts, expected_error
from pacbed.evaluation.advice.figure import draw_advice
from pacbed.evaluation.advice.question import Question
from pacbed.evaluation.advice.sentence import best_sentence
from pacbed.outputs import write_json, write_text
from pacbed.patterns import polar_to_vector

HERE = Path(__file__).resolve().parent
NAMES = ("rutile_80kv", "srtio3_200kv")
ELECTRONS, SEED = 1e5, 1
THICKNESSES_NM, MISTILT = (20.0, 60.0), (2.0, 20.0)  # [nm]; [mrad], [deg]
OTHER_BASIN = 5.0  # an error beyond so many promised ones is another fringe, not noise
MEDIAN_OF_NORMAL = 0.6745


def measure(name: str, patterns: int) -> dict:
    """Advice of a bundle, and scatter of its predictions."""
    bundle = load_bundle(name)
    bundle.renderer  # noqa: B018 - loads and compiles, so that the advice alone is timed
    started = cpu_seconds()
    advice = advise(bundle, Question(ELECTRONS))
    spent = cpu_seconds() - started
    draw_advice(advice, HERE / f"advise_{name}.png")
    places = [(t, a) for a in advice.grid.convergence_mrad[[0, -1]] for t in THICKNESSES_NM]
    rng = np.random.default_rng(SEED)
    return {
        "sentence": best_sentence(advice),
        "advice_cpu_s": round(spent, 1),
        "by_dose": by_dose(bundle, advice),
        "scatter": [scatter(bundle, float(t), float(a), patterns, rng) for t, a in places],
    }


def by_dose(bundle: Bundle, advice: Advice) -> list[dict]:
    """The sentence at other doses: noise falls as one over the root of the electrons."""
    rows = []
    for electrons in (1e4, 1e5, 1e6):
        scaled = advice.noise_nm * np.sqrt(advice.electrons / electrons)
        sentence = best_sentence(replace(advice, electrons=electrons, noise_nm=scaled))
        rows.append({"electrons": electrons, "sentence": sentence})
    return rows


def scatter(bundle: Bundle, thickness_nm: float, angle_mrad: float, patterns: int, rng: np.random.Generator) -> dict:
    """Errors of predictions over what is promised."""
    nominal = centred(thickness_nm, angle_mrad, tuple(polar_to_vector(*MISTILT)))
    width = bundle.meta.priors.convergence_relative * angle_mrad
    promised = expected_error(bundle.renderer, nominal, ELECTRONS, Restraints(angle_mrad, width))
    errors, tilts, stated, verdicts = [], [], [], []
    for _ in range(patterns):
        truth = replace(
            nominal,
            convergence_mrad=angle_mrad + width * float(rng.standard_normal()),
            ellipse_percent=tuple(ELLIPSE_PERCENT * rng.standard_normal(2)),
            rotation_deg=float(rng.uniform(0, 360)),
            center_px=tuple(np.array(nominal.center_px) + rng.uniform(-2, 2, 2)),
        )
        counts = rng.poisson(expected_counts(bundle.renderer, truth, ELECTRONS)).astype(np.float32)
        found = predict(bundle, counts, convergence_mrad=angle_mrad, mirrored=False)
        verdicts.append(found.verdict)
        errors.append(found.thickness_nm.value - thickness_nm)
        stated.append(found.thickness_nm.std_statistical)
        vector = np.array([found.mistilt_x_mrad.value, found.mistilt_y_mrad.value])
        tilts.append(float(np.hypot(*(vector - truth.mistilt_in_image()))))
    near = np.abs(errors) < OTHER_BASIN * promised.thickness_nm
    return {
        "thickness_nm": thickness_nm,
        "convergence_mrad": angle_mrad,
        "patterns": patterns,
        "other_fringe": int(np.sum(~near)),
        "verdicts": {one: verdicts.count(one) for one in sorted(set(verdicts))},
        "promised_nm": promised.thickness_nm,
        "smallest_nm": promised.smallest_thickness_nm,
        "measured_nm": rms(np.array(errors)[near]),
        "ratio": rms(np.array(errors)[near]) / promised.thickness_nm,
        "ratio_of_median": float(np.median(np.abs(errors))) / MEDIAN_OF_NORMAL / promised.thickness_nm,
        "stated_nm": float(np.median(stated)),
        "promised_mrad": promised.mistilt_mrad,
        "measured_mrad": rms(np.array(tilts)[near]),
        "ratio_mistilt": rms(np.array(tilts)[near]) / promised.mistilt_mrad,
    }


def rms(values: np.ndarray) -> float:
    return float(np.sqrt(np.mean(values**2)))


def cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def markdown(figures: dict) -> str:
    """The page of all bundles measured."""
    lines = [
        "# Advice before the experiment",
        "",
        fill(
            f"Measured by `make bench-advise` on {figures['machine']}: what `pacbed advise` promises, and what "
            f"predictions of patterns with {figures['electrons']:.0e} counted electrons scatter by. Angle and ellipse "
            "of each pattern miss what the fit is told by the widths of its restraints, so that these count as well. "
            f"Fringe: predictions that ended at another fringe (errors above {figures['other_basin']:g} times the "
            "promise), which no local error bar holds; they are counted, not averaged. Stated: median of the results' "
            "own `std_statistical`.",
            120,
        ),
        "",
    ]
    rows = [(name, row) for name, system in figures["systems"].items() for row in system["scatter"]]
    lines += [
        "| bundle | thickness [nm] | angle [mrad] | patterns | fringe | promised [nm] | measured [nm] | ratio "
        "| smallest possible [nm] | stated [nm] | mistilt promised [mrad] | measured [mrad] | ratio |",
        "|---" + "|---:" * 12 + "|",
    ]
    for name, row in rows:
        cells = [
            name, f"{row['thickness_nm']:g}", f"{row['convergence_mrad']:g}", row["patterns"], row["other_fringe"],
            f"{row['promised_nm']:.3f}", f"{row['measured_nm']:.3f}", f"{row['ratio']:.2f}",
            f"{row['smallest_nm']:.3f}", f"{row['stated_nm']:.3f}", f"{row['promised_mrad']:.3f}",
            f"{row['measured_mrad']:.3f}", f"{row['ratio_mistilt']:.2f}",
        ]  # fmt: skip
        lines.append(f"| {' | '.join(map(str, cells))} |")
    pooled = [rms(np.array([row[key] for _, row in rows])) for key in ("ratio", "ratio_mistilt")]
    lines += ["", f"All together, measured over promised: {pooled[0]:.2f} (thickness), {pooled[1]:.2f} (mistilt).", ""]
    for name, system in figures["systems"].items():
        lines += [f"## {name}", "", f"![errors to be expected](advise_{name}.png)", ""]
        said = (f"- {row['electrons']:.0e} electrons: {row['sentence']}" for row in system["by_dose"])
        lines += [fill(line, 120, subsequent_indent="  ") for line in said]
        lines += ["", f"Computed in {system['advice_cpu_s']:g} s of one core, the table being loaded.", ""]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", default=NAMES, metavar="NAME", help="bundles, by path or name")
    parser.add_argument("--patterns", type=int, default=16, help="for each thickness and angle")
    arguments = parser.parse_args()
    out = HERE / "advise.json"
    kept = json.loads(out.read_text(encoding="utf-8"))["systems"] if out.is_file() else {}
    figures = {
        "machine": f"{platform.machine()}, Python {platform.python_version()}",
        "electrons": ELECTRONS,
        "other_basin": OTHER_BASIN,
        "systems": kept,
    }
    for name in arguments.names:
        kept[Path(name).stem] = measure(name, arguments.patterns)
        write_json(figures, out)
        write_text(markdown(figures), HERE / "advise.md")


if __name__ == "__main__":
    main()
