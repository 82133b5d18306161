"""What an effect is: how it changes the model of a pattern, how large it may be, and when it is believed.

An effect has *amounts*, numbers in which the model is nearly linear and that are 1 at the width of the prior: a share
over its width, a variance over the square of its width, a slope. Its *size* is what a user reads.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from pacbed.analysis.fit.effects.thresholds import LEAST_GAIN
from pacbed.analysis.fit.forward import ForwardModel
from pacbed.analysis.fit.parameters import PatternParameters

Change = Callable[[ForwardModel, PatternParameters], np.ndarray]


@dataclass(frozen=True)
class Effect(ABC):
    """One thing that may have happened to a picture.

    Attributes
    ----------
    name : str
    unit : str
        Of the size.
    width : float
        Standard deviation of the size before anything is seen.
    sizes : tuple of float
        Where a refit begins; none where steps from nothing lead everywhere, as the model is linear in the amount.
    largest : float
        Largest size that a refit tries.
    power : int
        The amount is the size over its width, to this power.
    parts : int
        Amounts; more than one have a sign, and the size is their length.
    """

    name: str
    unit: str
    width: float
    sizes: tuple[float, ...]
    largest: float
    power: int = 1
    parts: int = 1

    @abstractmethod
    def applied(self, model: ForwardModel, amounts: np.ndarray) -> ForwardModel:
        """The model with the effect in it; `amounts` has shape (part,)."""

    @property
    def least_gain(self) -> float:
        """Fall of the held-out residual above which the effect is adopted, over that residual."""
        return LEAST_GAIN[self.name]

    @property
    def signed(self) -> bool:
        """Amounts may be negative."""
        return self.parts > 1

    def size(self, amounts: np.ndarray) -> float:
        """Size of some amounts, shape (part,)."""
        return self.width * float(np.linalg.norm(amounts)) ** (1 / self.power)

    def amounts(self, size: float) -> np.ndarray:
        """Amounts of a size, all in the first part; shape (part,)."""
        return np.eye(self.parts)[0] * (size / self.width) ** self.power

    @property
    def most(self) -> float:
        """Largest amount of a part."""
        return abs(float(self.amounts(self.largest)[0]))

    def open_nm(self, amount: float, thickness_nm: float) -> float:
        """Standard deviation of the thickness that the effect leaves open where its size is known [nm].

        Parameters
        ----------
        amount : float
            Expected amount.
        thickness_nm : float
            Thickness [nm].
        """
        return 0.0

    def deviations(self, amounts: np.ndarray) -> np.ndarray:
        """Size in units of the prior's width, part by part; shape (part,)."""
        return np.asarray(np.maximum(amounts, 0.0) ** (1 / self.power) if self.power > 1 else amounts)


@dataclass(frozen=True)
class Applied:
    """An effect of a known size: takes a forward model and returns it with the effect in it.

    Attributes
    ----------
    effect : Effect
    amounts : tuple of float
        One for each part.
    """

    effect: Effect
    amounts: tuple[float, ...]

    def __call__(self, model: ForwardModel) -> ForwardModel:
        """The model with the effect."""
        return self.effect.applied(model, np.array(self.amounts))


class ChangedModel(ForwardModel):
    """A forward model whose sharp pattern is changed before detector and background come on top.

    Parameters
    ----------
    inner : ForwardModel
        The model without the change.
    change : callable
        Takes the inner model and parameters, returns the changed sharp pattern, shape (y, x).
    """

    def __init__(self, inner: ForwardModel, change: Change) -> None:
        self.__dict__.update(inner.__dict__)
        self._columns, self._last = inner._columns.copy(), None
        self._inner, self._change = inner, change

    def render_sharp(self, at: PatternParameters) -> np.ndarray:
        """See `ForwardModel.render_sharp`."""
        return self._change(self._inner, at)
