import numpy as np
import pytest

from pacbed.analysis.fit.effects.refit import Place, amount_columns, refit
from pacbed.analysis.fit.effects.shading import Shading
from pacbed.analysis.fit.effects.vacuum import Vacuum
from pacbed.analysis.fit.restraints import Restraints

RESTRAINTS = Restraints(14.0, 0.28)


def test_the_best_of_several_starts_is_kept(fitted, truth):
    found, effect = fitted("vacuum", 0.2), Vacuum()
    starts = [Place(truth.moved([-4.0, *np.zeros(10)]), effect.amounts(0.5)), Place(truth, effect.amounts(0.4))]
    end = refit(found.model, effect, starts, RESTRAINTS)
    assert effect.size(end.amounts) == pytest.approx(0.2, abs=0.04)
    assert end.at.thickness_nm == pytest.approx(8.0, abs=0.3)


def test_columns_are_derivatives_of_the_modelled_record(fitted):
    found, effect = fitted("vacuum", 0.2), Vacuum()
    for amounts, reach in ((np.array([2.0]), 0.1), (np.zeros(1), 1.0)):
        column = amount_columns(found.model, effect, Place(found.at, amounts))[:, 0]
        ahead, here = (effect.applied(found.model, amounts + step).residual(found.at) for step in (reach, 0.0))
        np.testing.assert_allclose(column, (here - ahead) / reach, atol=1e-6)


def test_every_part_of_an_effect_has_its_column(fitted):
    found = fitted("none")
    columns = amount_columns(found.model, Shading(), Place(found.at, np.zeros(2)))
    assert columns.shape == (len(found.model.weights), 2)
    assert abs(np.corrcoef(columns.T)[0, 1]) < 0.5
