"""From which gain on an effect is adopted, effect by effect: the one place that a benchmark sets."""

from types import MappingProxyType

# Fall of the held-out residual, over that residual. What the model lacks on clean pictures is explained by an effect as
# well: shading and vacuum by up to 1.1 % on pictures of even numbers, the others by less (benchmarks/effects.md).
LEAST_GAIN = MappingProxyType(
    {
        "vacuum": 0.01,
        "tilt_spread": 0.005,
        "thickness_spread": 0.005,
        "blurred_copy": 0.005,
        "shading": 0.015,
        "gamma": 0.02,
    }
)
