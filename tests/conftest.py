import sys
from pathlib import Path

# Helpers that tests of several rooms share: `from synthetic import make_synthetic_dataset`.
sys.path.insert(0, str(Path(__file__).parent / "support"))

from http_server import http_server  # noqa: F401
from s3_server import gcs_server, s3_process, s3_server  # noqa: F401
