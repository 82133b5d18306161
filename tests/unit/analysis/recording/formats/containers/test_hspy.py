from math import prod

import pytest

from pacbed.analysis.recording.formats.containers.hspy import BLOCK_BYTES, in_blocks


@pytest.mark.parametrize(
    ("shape", "block"),
    [
        ((40, 48), (40, 48)),
        ((2000, 2000, 256, 256), (1, 128, 256, 256)),
        ((2**40, 64, 64), (2048, 64, 64)),
        ((0, 64, 64), (1, 64, 64)),
        ((2, 2**30), (1, 2**23)),
    ],
)
def test_blocks_are_of_one_size_and_lie_together(shape, block):
    assert in_blocks(shape, 2) == block
    assert 2 * prod(block) <= BLOCK_BYTES
