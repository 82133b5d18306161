"""The fields of a request, typed and bounded."""

from __future__ import annotations

import json
import re
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from pacbed.errors import bad_value
from pacbed.service.problems import unusable
from pacbed.service.store.wanted import Wanted
from pacbed.service.workers.job import RawFrame

LARGEST = 1e6  # of any number: what physics accepts is asked later
Positive = Annotated[float, Field(gt=0, le=LARGEST)]
Name = Annotated[str, Field(min_length=1, max_length=200)]
Dtype = Literal["uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64", "float32", "float64"]
Index = Annotated[int, Field(ge=-99, le=99)]


class Section(BaseModel):
    """Base of every part: infinities are refused."""

    model_config = ConfigDict(frozen=True, allow_inf_nan=False)


class LookupForm(Section):
    """Fields beside the file of a look-up."""

    bundle: Name | None = Field(None, description="name of a bundle, or its hash; or else:")
    crystal: Name | None = Field(None, description="any name of the crystal")
    axis: str = Field("0,0,1", max_length=40, description="zone axis, up to sign and common factor")
    voltage_kv: Positive | None = Field(
        None, description="acceleration voltage [kV] by which a crystal's bundle is chosen"
    )
    convergence_mrad: Positive | None = Field(None, description="semi-convergence angle [mrad]; default: the file's")
    energy_kev: Positive | None = Field(None, description="beam energy [keV]; default: the file's")
    pixel_mrad: Positive | None = Field(None, description="pixel size [mrad]; default: the file's, or found")
    dataset: Name | None = Field(None, description="which array of a file that holds several")
    mirrored: bool | None = Field(None, description="the camera mirrors; default: both are tried")
    refine: bool = Field(True, description="least squares; false: the networks alone")
    sheet: Literal["none", "link", "inline"] = "none"

    @model_validator(mode="after")
    def _names_a_bundle(self) -> Self:
        if self.bundle is None and (self.crystal is None or self.voltage_kv is None):
            raise ValueError("bundle, or crystal with voltage_kv, is needed")
        if self.bundle is None:
            _ = self.direction
        return self

    @property
    def direction(self) -> tuple[int, ...]:
        """The zone axis."""
        words = re.split(r"[\s,]+", self.axis.strip().strip("[]").strip())
        if len(words) not in (3, 4) or not all(re.fullmatch(r"[+-]?[0-9]{1,2}", word) for word in words):
            raise ValueError("axis needs three or four whole numbers such as 0,0,1")
        return tuple(int(word) for word in words)

    def options(self) -> dict[str, Any]:
        """What was given of `pacbed.analysis.options.PredictOptions`."""
        names = ("convergence_mrad", "energy_kev", "pixel_mrad", "dataset", "mirrored")
        given = {name: getattr(self, name) for name in names if getattr(self, name) is not None}
        return {**given, "refine": self.refine}


class ViewQuery(Section):
    """What is asked of a rendered pattern."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    thickness_nm: Annotated[float, Field(ge=0, le=LARGEST)]
    convergence_mrad: Annotated[float, Field(ge=0.01, le=LARGEST)]
    mistilt_mrad: Annotated[float, Field(ge=0, le=LARGEST)] = 0.0
    azimuth_deg: Annotated[float, Field(ge=-360, le=360)] = 0.0
    pixels: Annotated[int, Field(ge=1, le=2048)] | None = None
    max_angle_mrad: Positive | None = None
    format: Literal["npy", "png"] = "png"


class HistoryQuery(Section):
    """Which of the own look-ups are listed."""

    limit: Annotated[int, Field(ge=1, le=500)] = 50
    before: Annotated[float | None, Field(ge=0, le=1e12, description="seconds since 1970")] = None
    since: Annotated[float | None, Field(ge=0, le=1e12, description="the same, and later")] = None
    search: Annotated[str, Field(max_length=200, description="parts of names, or the beginning of an id")] = ""
    bundle: Annotated[str, Field(max_length=200, description="name of a bundle")] = ""
    verdict: Literal["", "ok", "doubtful", "refused"] = ""

    def wanted(self) -> Wanted:
        """The same as the store takes it."""
        return Wanted(self.search, self.bundle, self.verdict, self.since, self.before)


class ZoneAxis(Section):
    """Indices of a direction."""

    u: Index
    v: Index
    w: Index


class PhysicalParameters(Section):
    """How the pattern was recorded, as the authors' clients say it."""

    acceleration_voltage: Annotated[float, Field(gt=0, le=1e8, description="[V]")]
    crystal_structure: Name
    zone_axis: ZoneAxis
    convergence_angle: Annotated[float, Field(gt=0, le=1000, description="semi-convergence angle [mrad]")]


class RawFile(Section):
    """Pixels in C order without a header."""

    typ: Literal["raw"]
    dtype: Dtype
    width: Annotated[int, Field(ge=1, le=65536)]
    height: Annotated[int, Field(ge=1, le=65536)]

    @property
    def frame(self) -> RawFrame:
        """The same as a worker takes it."""
        return RawFrame(self.dtype, self.height, self.width)


class Dm4File(Section):
    """A file of DigitalMicrograph."""

    typ: Literal["dm4"]


class AuthorsParameters(Section):
    """The part `parameters` of the authors' clients (Oberaigner et al. 2023, Fig. 5)."""

    physical_params: PhysicalParameters
    file_params: Annotated[RawFile | Dm4File, Field(discriminator="typ")]

    @classmethod
    def of_text(cls, text: str) -> Self:
        """Read the JSON text.

        Raises
        ------
        ServiceError
            422: it is none, or a value is not accepted.
        """
        try:
            return cls.model_validate(json.loads(text))
        except ValidationError as error:
            first = error.errors()[0]
            key = ".".join(str(part) for part in ("parameters", *first["loc"]))
            got = first["input"] if isinstance(first["input"], str | int | float) else type(first["input"]).__name__
            raise unusable(str(bad_value(key, got, first["msg"]))) from None
        except (ValueError, RecursionError) as error:
            raise unusable(
                f"parameters: got no JSON ({type(error).__name__}), accepted: the request of Fig. 5"
            ) from None
