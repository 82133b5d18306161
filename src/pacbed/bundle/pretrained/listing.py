"""What bundles there are: those that ship, and what the cache holds besides."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pacbed.bundle.archive import TABLE, Archive
from pacbed.bundle.meta import BundleMeta
from pacbed.bundle.pretrained.cache import cache_entry, cache_folder
from pacbed.bundle.pretrained.names import shipped_bundles
from pacbed.errors import FormatError

# Methods of an evaluation that refine, the one that a prediction uses first; older bundles know the last alone.
FITS = ("networks_refinement", "match_refinement", "refinement")


@dataclass(frozen=True)
class Listed:
    """One bundle.

    Attributes
    ----------
    name : str
        By which a shipped bundle is found; of a cached one, its system's name.
    path : str
        File.
    shipped : bool
        Found by its name.
    earlier : bool
        Of the name of one that ships, and another: a version that shipped before, or a build of one's own.
    formula : str
    zone_axis : list of int
    energy_kev : float
        Beam energy [keV].
    thickness_nm, convergence_mrad, mistilt_mrad : tuple of float
        Lowest and highest value [nm], [mrad], [mrad].
    networks : list of str
        Tasks of its networks.
    errors : list of dict
        Of the evaluation: noise, method, and the method's median thickness error [nm].
    model_std_nm : float
        Standard deviation of the largest thickness that the model does not know [nm].
    table_ready : bool
        No table has to be made before it answers.
    size_mb : float
        Of the file, with its table in the cache if there is one [MB].
    """

    name: str
    path: str
    shipped: bool
    earlier: bool
    formula: str
    zone_axis: list[int]
    energy_kev: float
    thickness_nm: tuple[float, float]
    convergence_mrad: tuple[float, float]
    mistilt_mrad: tuple[float, float]
    networks: list[str]
    errors: list[dict[str, Any]]
    model_std_nm: float
    table_ready: bool
    size_mb: float

    def line(self) -> str:
        """One line for a terminal."""
        axis = " ".join(map(str, self.zone_axis))
        ranges = f"{_span(self.thickness_nm)} nm, {_span(self.convergence_mrad)} mrad, tilt to {self.mistilt_mrad[1]:g}"
        networks = f"networks {', '.join(self.networks)}" if self.networks else "no networks"
        state = "table ready" if self.table_ready else "table made when first used"
        where = "" if self.shipped else ", in the cache"
        where += ", not the one that ships" if self.earlier else ""
        return (
            f"{self.name}: {self.formula} [{axis}] {self.energy_kev:g} kV; {ranges} mrad; {networks}; "
            f"{self._error()}; {state}, {self.size_mb:.1f} MB{where}"
        )

    def _error(self) -> str:
        """What the fit's thickness is wrong by at the highest noise, and what the model adds."""
        method = fit_among(str(entry["method"]) for entry in self.errors)
        known = [entry for entry in self.errors if entry["method"] == method and entry["thickness_median_nm"]]
        model = f"model {self.model_std_nm:.2g} nm at {self.thickness_nm[1]:g}"
        if not known:
            return model
        worst = max(known, key=lambda entry: float(entry["noise"]))
        return f"median error {worst['thickness_median_nm']:.2g} nm at noise {worst['noise']:g}, {model}"


def fit_among(methods: Iterable[str]) -> str | None:
    """Which of an evaluation's methods is the fit of a prediction; None if none is."""
    known = set(methods)
    return next((name for name in FITS if name in known), None)


def list_bundles() -> list[Listed]:
    """All bundles that ship, by name, then those that only the cache holds.

    Raises
    ------
    FormatError
        A bundle that ships is damaged.
    """
    found, theirs, shipped = [], set(), shipped_bundles()
    for name, path in shipped.items():
        archive = Archive(path)
        entry = cache_entry(archive)
        theirs.add(entry)
        found.append(_listed(name, archive, entry))
    others = [archive for archive in _cached() if archive.path not in theirs]
    return found + [_listed(one.meta.system, one, None, earlier=one.meta.system in shipped) for one in others]


def _cached() -> Iterator[Archive]:
    """Entries of the cache that can be read; what is damaged is made again when it is asked for."""
    for path in sorted(cache_folder().glob("*.pacbed")):
        try:
            if ".part" not in path.name:
                yield Archive(path)
        except FormatError:
            continue


def _listed(name: str, archive: Archive, entry: Path | None, *, earlier: bool = False) -> Listed:
    meta, ready = archive.meta, archive.holds(TABLE) or (entry is not None and entry.exists())
    files = [path for path in (archive.path, entry) if path is not None and path.exists()]
    return Listed(
        name=name,
        path=str(archive.path),
        shipped=entry is not None,
        earlier=earlier,
        formula=meta.crystal.get("formula", "?"),
        zone_axis=list(meta.crystal.get("zone_axis", [])),
        energy_kev=meta.energy_kev,
        thickness_nm=meta.trained.thickness_nm,
        convergence_mrad=meta.trained.convergence_mrad,
        mistilt_mrad=meta.trained.mistilt_mrad,
        networks=sorted(meta.class_values),
        errors=_errors(meta),
        model_std_nm=meta.model_error.std_at(meta.trained.thickness_nm[1]),
        table_ready=ready,
        size_mb=sum(path.stat().st_size for path in files) / 1e6,
    )


def _errors(meta: BundleMeta) -> list[dict[str, Any]]:
    evaluation = meta.metrics.get("evaluation", {})
    entries = evaluation.get("errors", []) if isinstance(evaluation, dict) else []
    return [{key: entry.get(key) for key in ("noise", "method", "thickness_median_nm")} for entry in entries]


def _span(values: tuple[float, float]) -> str:
    low, high = values
    return f"{low:g}" if low == high else f"{low:g}-{high:g}"
