import logging
import warnings

import pytest

from pacbed.analysis.recording.formats.quiet import quiet


def test_readers_are_silent_and_heard_again(caplog):
    before = logging.getLogger("rsciio").level
    with quiet():
        logging.getLogger("tifffile").error("invalid offset")
        logging.getLogger("rsciio.quantumdetector").warning("no header")
        warnings.warn("old format", stacklevel=1)
    assert caplog.text == "" and logging.getLogger("rsciio").level == before
    with pytest.warns(UserWarning, match="heard"):
        warnings.warn("heard", stacklevel=1)


def test_levels_come_back_after_an_error():
    before = logging.getLogger("tifffile").level
    with pytest.raises(ValueError, match="damaged"), quiet():
        raise ValueError("damaged")
    assert logging.getLogger("tifffile").level == before
