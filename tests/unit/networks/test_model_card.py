"""The card of a network: a round trip, a line to read, and cards with holes."""

from __future__ import annotations

import json

import pytest

from pacbed.errors import FormatError
from pacbed.networks.model_card import ModelCard

CARD = ModelCard(
    recipe="paper",
    begun_with="weights of imagenet.h5",
    training_patterns=121_696,
    validation_patterns=6_404,
    epochs=27,
    best_epoch=17,
    loss=0.5,
    validation_loss=0.75,
    median_error=0.4,
    seed=3,
    seconds=500.0,
    cpu_seconds=1234.0,
    waiting=0.12,
    calibrated=False,
    versions={"keras": "3.15.1", "backend": "jax"},
)


def test_a_card_survives_json_and_newer_fields():
    content = json.loads(json.dumps(CARD.as_json())) | {"later": 1}
    assert ModelCard.from_json(content) == CARD


def test_a_card_in_one_line():
    line = CARD.line("thickness")
    for part in (
        "recipe paper from weights of imagenet.h5",
        "121,696 patterns, 6,404 held out",
        "epoch 17 of 27 kept",
        "loss 0.5 (held out 0.75)",
        "median error 0.4 nm",
        "seed 3",
        "1,234 CPU s, 12% of the time for data",
        "not calibrated",
        "keras 3.15.1 backend jax",
    ):
        assert part in line
    assert "\n" not in line
    assert "median error 0.4," in CARD.line("scale")  # a ratio has no unit


@pytest.mark.parametrize("content", [{}, None, {"recipe": "paper"}])
def test_a_card_with_holes_is_refused(content):
    with pytest.raises(FormatError, match=r"^card: damaged .*, accepted: the model card of a network$"):
        ModelCard.from_json(content)
