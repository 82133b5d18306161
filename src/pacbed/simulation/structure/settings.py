"""What the first stage is asked for: crystal and beam, the patterns that must be carried, grid and distances."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields

from pacbed.crystal.reading import ReadingChoices


@dataclass(frozen=True)
class GridReach:
    """Which waves a grid must carry.

    Attributes
    ----------
    thickness_max_nm : float
        Largest thickness [nm].
    cone_mrad, field_mrad : float
        Largest incident and largest scattered angle [mrad].
    propagator : {"exact", "fresnel"}
        Free-space propagation between slices.
    """

    thickness_max_nm: float
    cone_mrad: float
    field_mrad: float
    propagator: str


@dataclass(frozen=True)
class PatternLimits:
    """The patterns that interpolation in a table must meet, by the ends of their parameter grid.

    Attributes
    ----------
    thickness_max_nm : float
        Largest thickness, where rocking fringes are finest [nm].
    alpha_max_mrad, tau_max_mrad : float
        Largest semi-convergence angle and largest mistilt [mrad].
    max_angle_mrad : float
        Half width of the field of view; beams outside do not count [mrad].
    propagator : {"exact", "fresnel"}
        Free-space propagation between slices.
    tolerance : float
        Accepted relative L2 error of a pattern.
    """

    thickness_max_nm: float
    alpha_max_mrad: float
    tau_max_mrad: float
    max_angle_mrad: float
    propagator: str
    tolerance: float

    @classmethod
    def among(cls, settings: object) -> PatternLimits:
        """The limits among the settings of a stage, whose fields have the same names."""
        return cls(**{limit.name: getattr(settings, limit.name) for limit in fields(cls)})


@dataclass(frozen=True)
class StructureSettings:
    """A system's configuration as far as the first stage needs it.

    Attributes
    ----------
    zone_axis : sequence of three or four int
        [uvw], or [uvtw] of a hexagonal cell; points to the source, the beam travels along -[uvw].
    energy_kev : float
        Kinetic energy of the electrons [keV].
    thermal_model : {"thermal_mean", "debye_waller_absorptive", "debye_waller", "frozen_phonons", "none"}
        How thermal vibration smears the potential, and whether it absorbs.
    parametrization : {"lobato", "kirkland"}
        Table of the atoms' form factors.
    grid_px : sequence of two int or "auto"
        Grid along the in-plane vectors; "auto" takes the smallest that loses at most 0.15 % of the beam in the mean
        over the cone and 0.5 % in the worst direction at the largest thickness, and keeps the tolerance.
    slice_depth_nm : float or "auto"
        Upper limit of the slice depth [nm]; "auto" takes at most 0.2 nm, lets slices meet the atomic layers, and
        takes thinner ones where these change a pattern by more than the tolerance.
    thickness_max_nm : float
        Largest thickness [nm].
    cone_mrad, field_mrad : float
        Largest incident and scattered angle that the grid must carry [mrad].
    propagator : {"exact", "fresnel"}
        Free-space propagation between slices.
    direction_pitch_mrad : float or "auto"
        Distance of incident directions [mrad]; "auto" measures the largest that keeps the tolerance.
    plane_spacing_nm : float or "auto"
        Distance of thickness planes [nm]; "auto" measures the largest that keeps the tolerance.
    alpha_max_mrad, tau_max_mrad, max_angle_mrad : float
        Largest semi-convergence angle, largest mistilt, half width of the field of view [mrad].
    tolerance : float
        Accepted relative L2 error of a pattern.
    block, accept_contradictions, displacements : str, sequence of str, mapping of str to float; optional
        What the configuration says of the CIF file, as in `ReadingChoices`.
    """

    zone_axis: Sequence[int]
    energy_kev: float
    thermal_model: str
    parametrization: str
    grid_px: Sequence[int] | str
    slice_depth_nm: float | str
    thickness_max_nm: float
    cone_mrad: float
    field_mrad: float
    propagator: str
    direction_pitch_mrad: float | str
    plane_spacing_nm: float | str
    alpha_max_mrad: float
    tau_max_mrad: float
    max_angle_mrad: float
    tolerance: float
    block: str | None = None
    accept_contradictions: Sequence[str] = ()
    displacements: Mapping[str, float] = field(default_factory=dict)

    @property
    def reading(self) -> ReadingChoices:
        """How the CIF file is read."""
        return ReadingChoices(self.block, tuple(self.accept_contradictions), dict(self.displacements))

    @property
    def grid_reach(self) -> GridReach:
        """Which waves the grid must carry."""
        return GridReach(self.thickness_max_nm, self.cone_mrad, self.field_mrad, self.propagator)

    @property
    def pattern_limits(self) -> PatternLimits:
        """The patterns that interpolation must meet."""
        return PatternLimits.among(self)
