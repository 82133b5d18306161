import numpy as np

from pacbed.evaluation.truths import Stack
from pacbed.evaluation.unpacked_bundle import UnpackedBundle


def test_what_is_not_packed_yet_stands_in_for_a_bundle(parts, tiny_bundle):
    unpacked = UnpackedBundle(parts["table_dir"], Stack.load(parts["stack_dir"]), parts["models_dir"])
    for name in ("crystal", "energy_kev", "trained", "max_angle_mrad", "stack_pixels", "class_values"):
        assert getattr(unpacked.meta, name) == getattr(tiny_bundle.meta, name)
    image = np.random.default_rng(1).random((32, 32))
    for task, network in tiny_bundle.networks.items():
        answers = (unpacked.networks[task].answer(image, 14).probability, network.answer(image, 14).probability)
        np.testing.assert_array_equal(*answers)
