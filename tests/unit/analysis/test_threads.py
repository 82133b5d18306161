import numpy as np
from threadpoolctl import threadpool_info

from pacbed.analysis.threads import one_thread


def threads():
    return [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]


def test_blas_has_one_thread_inside_and_its_own_again_after():
    np.linalg.svd(np.eye(3))  # it is loaded
    before = threads()
    assert before
    with one_thread():
        assert set(threads()) == {1}
    assert threads() == before
