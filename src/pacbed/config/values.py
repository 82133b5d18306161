"""Building blocks of the configuration: numbers, names, ranges of values, and refusals that say what is accepted."""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Discriminator, Field, RootModel, StringConstraints, Tag, model_validator
from pydantic_core import PydanticCustomError

MAX_VALUES = 10_000  # of one range; a mistyped step must not fill the memory
TASKS = ("scale", "thickness", "mistilt")  # of the networks, in the order they are asked
BUNDLE_SUFFIX = ".pacbed"

Auto = Literal["auto"]
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]+$")]
Index = Annotated[int, Field(ge=-20, le=20)]
GridPixels = Annotated[int, Field(ge=16, le=4096)]
ZoneAxis = Annotated[
    Annotated[tuple[Index, Index, Index], Tag("uvw")] | Annotated[tuple[Index, Index, Index, Index], Tag("uvtw")],
    Discriminator(lambda value: "uvtw" if isinstance(value, list | tuple) and len(value) == 4 else "uvw"),
]
Positive = Annotated[float, Field(gt=0)]
Sigma = Annotated[float, Field(ge=0, le=1)]


def refuse(path: str, got: object, accepted: str) -> PydanticCustomError:
    """Finding of a check that the types cannot express; `path` is relative to the model that checks."""
    context = {"path": tuple(path.split(".")) if path else (), "got": str(got), "accepted": accepted}
    return PydanticCustomError("not_accepted", "accepted: {accepted}", context)


class Section(BaseModel):
    """Base of every section: unknown keys, infinities and later changes are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Range(Section):
    """Evenly spaced values from `start` to `stop`, both included."""

    start: float = Field(description="first value")
    stop: float = Field(description="last value, included")
    step: float = Field(gt=0, description="distance between neighbours")

    @model_validator(mode="after")
    def _reaches_stop(self) -> Self:
        steps = (self.stop - self.start) / self.step
        if not 0 <= steps < MAX_VALUES:
            raise refuse(
                "",
                f"start {self.start:g}, stop {self.stop:g}, step {self.step:g}",
                f"stop at or above start, at most {MAX_VALUES} values",
            )
        if abs(steps - round(steps)) > 1e-6:
            raise refuse("step", f"{self.step:g}", f"a step that leads from {self.start:g} exactly to {self.stop:g}")
        return self

    def values(self) -> list[float]:
        """All values, ascending."""
        return [round(self.start + i * self.step, 9) for i in range(round((self.stop - self.start) / self.step) + 1)]


class ValueList(RootModel[Annotated[list[float], Field(min_length=1, max_length=MAX_VALUES)]]):
    """Values given one by one, strictly ascending."""

    model_config = ConfigDict(frozen=True, allow_inf_nan=False)

    @model_validator(mode="after")
    def _ascending(self) -> Self:
        if any(b <= a for a, b in zip(self.root, self.root[1:], strict=False)):
            raise refuse("", self.root, "a strictly ascending list of numbers")
        return self

    def values(self) -> list[float]:
        """All values, ascending."""
        return list(self.root)


def _kind(value: object) -> str:
    if isinstance(value, str):
        return "auto"
    return "list" if isinstance(value, list | tuple | ValueList) else "range"


Values = Annotated[Annotated[Range, Tag("range")] | Annotated[ValueList, Tag("list")], Discriminator(_kind)]
ValuesOrAuto = Annotated[
    Annotated[Range, Tag("range")] | Annotated[ValueList, Tag("list")] | Annotated[Auto, Tag("auto")],
    Discriminator(_kind),
]
