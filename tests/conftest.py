import os
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# Workers share the cores; threads in each, and in what it starts, would only wait for those of the others.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")

from tests.support.http_server import http_server, tls  # noqa: F401
from tests.support.proxy_server import proxy_server  # noqa: F401
from tests.support.s3_server import gcs_server, s3_process, s3_server  # noqa: F401

# The same code gets the same examples, and a busy machine is no error; "explore" looks for new examples.
EVER = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("repeat", EVER, derandomize=True)
settings.register_profile("explore", EVER, max_examples=1000)
settings.load_profile("repeat")

COLLECTED = pytest.StashKey[tuple[Counter[str], Counter[str]]]()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config, items):
    """Count the tests of each room, before any is left out: those of the quick form, and all."""
    tests = Path(__file__).parent
    rooms = [((*item.path.parent.relative_to(tests).parts, "all")[0], item) for item in items]
    quick = Counter(room for room, item in rooms if not item.get_closest_marker("slow"))
    config.stash[COLLECTED] = quick, Counter(room for room, _ in rooms)


@pytest.fixture
def collected(request):
    return request.config.stash[COLLECTED]
