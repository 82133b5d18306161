"""How the recipes make their steps: AdamW with a rate that rises and falls, and the paper's plain Adam."""

from __future__ import annotations

import keras

WARM_UP = 0.05  # share of all steps over which the learning rate rises
FIRST_RATE, LAST_RATE = 0.05, 0.01  # learning rate at the first and the last step, over the highest
WEIGHT_DECAY = 1e-4


def cosine_adamw(learning_rate: float, steps: int) -> keras.optimizers.Optimizer:
    """AdamW; the rate rises for the first steps and falls as a cosine until the last (recipe compact).

    Parameters
    ----------
    learning_rate : float
        Highest learning rate, reached after `WARM_UP` of all steps.
    steps : int
        Steps of the training.
    """
    schedule = keras.optimizers.schedules.CosineDecay(
        FIRST_RATE * learning_rate,
        steps,
        alpha=LAST_RATE,
        warmup_target=learning_rate,
        warmup_steps=max(1, int(WARM_UP * steps)),
    )
    return keras.optimizers.AdamW(schedule, weight_decay=WEIGHT_DECAY)


def constant_adam(learning_rate: float, steps: int) -> keras.optimizers.Optimizer:
    """Adam at one rate, as the paper's code has it (recipe paper); takes the same arguments as `cosine_adamw`."""
    del steps
    return keras.optimizers.Adam(learning_rate)
