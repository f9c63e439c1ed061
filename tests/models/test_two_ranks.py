"""Two ranks with half of a batch each learn what one process with all of it learns, by method, in float64."""

import json
import subprocess
import sys

import pytest

from tests.support import with_tests
from turntable.models import METHODS

pytestmark = pytest.mark.slow

SCRIPT = ("-m", "tests.support.two_ranks")


@pytest.fixture(scope="module")
def differences(tmp_path_factory):
    """Of each rank from one process, by method."""
    done = subprocess.run(
        [sys.executable, *SCRIPT, str(tmp_path_factory.mktemp("ranks"))],
        env=with_tests(OMP_NUM_THREADS="1"),
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("name", METHODS)
def test_both_ranks_have_the_loss_and_the_gradients_of_one_process(differences, name):
    assert len(differences[name]) == 2
    for rank in differences[name]:
        assert rank["terms"] < 1e-6
        assert rank["gradients"] < 1e-6
        assert rank["steepest"] > 1e-3
