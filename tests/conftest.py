from hypothesis import HealthCheck, settings

from tests.support.http_server import http_server, tls  # noqa: F401
from tests.support.s3_server import gcs_server, s3_process, s3_server  # noqa: F401

# The same code gets the same examples, and a busy machine is no error; "explore" looks for new examples.
EVER = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("repeat", EVER, derandomize=True)
settings.register_profile("explore", EVER, max_examples=1000)
settings.load_profile("repeat")
