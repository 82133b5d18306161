"""Rounded weights: half the bytes, nearly the same answers."""

import numpy as np
import onnxruntime
import pytest

from pacbed.bundle.pretrained.half_weights import halve_weights


@pytest.mark.parametrize("task", ["scale", "thickness", "mistilt"])
def test_a_network_loses_half_its_bytes_and_hardly_a_digit(parts, task):
    model = (parts["models_dir"] / f"{task}.onnx").read_bytes()
    half = halve_weights(model)
    assert len(half) < 0.6 * len(model)
    rng = np.random.default_rng(5)
    before, after = (onnxruntime.InferenceSession(one) for one in (model, half))
    given = {item.name: rng.random([8, *item.shape[1:]], dtype=np.float32) for item in before.get_inputs()}
    for exact, rounded in zip(before.run(None, given), after.run(None, given), strict=True):
        np.testing.assert_allclose(rounded, exact, atol=1e-3)
    assert halve_weights(half) == half
