"""What the API answers, as its description (OpenAPI) shows it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from pacbed.analysis.result import Result
from pacbed.bundle.meta import ModelError

SHA256 = r"^[0-9a-f]{64}$"


class Answer(BaseModel):
    """Base of every answer."""

    model_config = ConfigDict(allow_inf_nan=False)


class Problem(Answer):
    """An error (RFC 9457)."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str = Field(description="what was got and what is accepted")
    request_id: str = ""


class Links(Answer):
    """Where more of a look-up is."""

    self: str
    sheet: str | None = Field(description="PNG; null without a sheet")
    crate: str


class LookupSummary(Answer):
    """A look-up in a list."""

    id: str = Field(pattern=SHA256)
    created: str = Field(description="time, UTC")
    input: str = Field(description="file name that was sent")
    bundle: str
    verdict: Literal["ok", "doubtful", "refused"]
    thickness_nm: float | None
    links: Links


class LookupAnswer(LookupSummary):
    """A look-up."""

    result: Result = Field(description="as `pacbed predict --json` prints it")
    again: bool = Field(False, description="it was in the store already")
    sheet: str | None = Field(None, description="PNG in base64, where it was asked for inline")


class Share(Answer):
    """A link that shows a look-up to whoever has it."""

    link: str


class Feedback(Answer):
    """What somebody says of an answer."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    answer: Literal["right", "wrong", "unsure"]
    thickness_nm: float | None = Field(None, gt=0, le=1e6, description="by another method [nm]")
    comment: str = Field("", max_length=4000)


Span = Annotated[tuple[float, float], Field(description="lowest and highest value")]


class ErrorAnswer(Answer):
    """Errors of the thickness at one level of noise, on patterns of known thickness."""

    noise: float | None = Field(description="standard deviation of a pixel over the pattern's maximum")
    electrons: float | None = Field(description="in the whole pattern, where they were varied instead")
    patterns: int
    kind: str = Field(description="how the patterns were made")
    fit_nm: float | None = Field(description="median [nm]")
    fit_rmse_nm: float | None = Field(description="root mean square [nm]")
    networks_nm: float | None = Field(description="median of the networks alone [nm]")
    smallest_nm: float | None = Field(description="median of a fit that reaches the Cramér-Rao bound [nm]")


class BundleAnswer(Answer):
    """A bundle that is served, or refused with a reason."""

    name: str
    state: Literal["ready", "preparing", "waiting", "refused"]
    reason: str = ""
    sha256: str = ""
    size: int = Field(description="of the file [byte]")
    system: str = ""
    crystal: dict[str, Any] = Field(default_factory=dict)
    zone_axis: list[int] = Field(default_factory=list)
    energy_kev: float | None = None
    thickness_nm: Span | None = None
    convergence_mrad: Span | None = None
    mistilt_mrad: Span | None = None
    networks: list[str] = Field(default_factory=list)
    errors: list[ErrorAnswer] = Field(default_factory=list, description="measured, by ascending noise")
    model_error: ModelError | None = Field(None, description="budget of what the simulation does not know")
    strip_nm: list[float] = Field(default_factory=list, description="thicknesses of the strip of patterns")
    links: dict[str, str] = Field(default_factory=dict)


class SaidAnswer(Answer):
    """What somebody said of an answer, for the operator."""

    created: str = Field(description="time, UTC")
    owner: str = Field(description="name of the token")
    lookup: str = Field(pattern=SHA256)
    input: str = Field(description="file name that was sent")
    bundle: str
    verdict: Literal["ok", "doubtful", "refused"]
    thickness_nm: float | None = Field(description="that was found [nm]")
    answer: Literal["right", "wrong", "unsure"]
    other_thickness_nm: float | None = Field(description="by another method [nm]")
    comment: str


class WorkerAnswer(Answer):
    """A process that computes."""

    pid: int
    memory_mb: float = Field(description="resident memory [MB]")
    cpu_s: float = Field(description="processor time since it began [s]")


class StateAnswer(Answer):
    """How this process of the service is, now."""

    server: int = Field(description="number of the process that answers; several may share a store")
    ready: bool = Field(description="every worker has answered a pattern")
    running: int = Field(description="look-ups that run")
    waiting: int = Field(description="look-ups that wait for a worker")
    waiting_by_token: dict[str, int]
    workers: list[WorkerAnswer]
    workers_replaced: int = Field(description="that died or were ended")
    free_gb: float = Field(description="space on the disk of the store [GB]")


class LimitsAnswer(Answer):
    """Every limit, and what is left to whoever asks; null for none."""

    limits: dict[str, float]
    left: dict[str, float | None]
    keep_days: float


class AuthorsAnswer(Answer):
    """The answer of Oberaigner et al. (2023), Fig. 5, with what it lacks."""

    thickness: float | None = Field(description="[angstrom]; null when refused")
    mistilt: float | None = Field(description="[mrad]")
    scale: float | None
    validation: str = Field(description="sheet: RGB PNG in base64")
    verdict: Literal["ok", "doubtful", "refused"]
    reasons: list[str]
    lookup: str = Field(description="id, for /api/v1/lookups/{id} and /inference/delayed/{id}")
