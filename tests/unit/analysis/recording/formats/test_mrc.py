import struct

import numpy as np
import pytest

from pacbed.analysis.recording.formats.mrc import read_mrc
from pacbed.analysis.recording.formats.quiet import quiet
from pacbed.errors import PatternError


def test_a_stack_is_read_as_it_stands(write_mrc, scan):
    with quiet():  # RosettaSciIO leaves the file to be closed by itself
        (found,) = read_mrc(write_mrc(scan[0]))
    np.testing.assert_array_equal(np.asarray(found.values), scan[0])
    assert all(axis.scan is None for axis in found.axes), "which axes are scan is not stated"


@pytest.mark.parametrize("lengths", [(40, 32, 6), (2**30, 2**30, 2**30), (40, 0, 5), (-40, 32, 5)])
def test_a_header_that_declares_more_than_there_is_is_refused(write_mrc, scan, lengths):
    file = write_mrc(scan[0])
    content = bytearray(file.read_bytes())
    struct.pack_into("<3i", content, 0, *lengths)
    file.write_bytes(content)
    with pytest.raises(PatternError, match=r"declares .*, accepted: no more than the file holds"):
        read_mrc(file)
