"""A local S3 server whose requests fail on purpose: ``s3_server(fail_every=3)`` in a test.

moto answers, in a process of its own (its imports warn, and a run under test may fork). In front of it stands
:class:`Faults`: of the requests to one bucket, every n-th meets a fault. It knows a key that may only read,
and refuses every key that it does not know.
"""

import json
import os
import signal
import socket
import struct
import subprocess
import sys
import time
import urllib.request
import uuid
from collections import Counter
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from threading import Lock, Thread
from urllib.parse import parse_qs

import pytest

from tests.support import with_tests
from tests.support.ports import free_port

FAULTS = ("503", "429", "reset", "cut", "lost")
"""Answer "slow down"; answer "too many requests"; reset the connection; do the work and cut the answer's body
(or, where it has none, reset); do the work and reset the connection. Whoever tries again gets through.
"full", on every request, is the answer of a server without room."""
KEY, READ_ONLY_KEY, SECRET = "turntable", "readonly", "a-secret-of-the-tests"
_CONTROL = "/-/"
_GOOGLES = "googles-"
"""What names of buckets begin with that are spoken to in Google's dialect."""


@dataclass(frozen=True)
class S3Bucket:
    """An empty bucket on the running server."""

    endpoint: str
    name: str
    env: dict[str, str] = field(repr=False)
    """What a client finds in its environment: for ``subprocess.run(env=…)`` and ``monkeypatch.setenv``."""
    scheme: str = "s3"

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.name}"

    def fail(self, every: int, how: str = "503") -> None:
        """From now on every n-th request fails so; 0 for none."""
        _ask(f"{self.endpoint}{_CONTROL}faults?bucket={self.name}&every={every}&how={how}")

    def counts(self) -> dict[str, int]:
        """Requests so far by method, "all" of them, and "faults" among them."""
        text = _ask(f"{self.endpoint}{_CONTROL}counts?bucket={self.name}")
        return {name: int(number) for name, number in (line.split() for line in text.splitlines())}


Servers = Callable[..., S3Bucket]


@pytest.fixture(scope="session")
def s3_process() -> Generator[str, None, None]:
    """The endpoint of a server that lives as long as the session."""
    port = free_port()
    endpoint = f"http://127.0.0.1:{port}"
    arguments = [sys.executable, "-W", "ignore", "-m", "tests.support.s3_server", str(port)]
    with subprocess.Popen(
        arguments, stdin=subprocess.PIPE, stderr=subprocess.PIPE, env=with_tests()
    ) as process:
        try:
            _wait_for(endpoint, process)
            yield endpoint
        finally:
            process.send_signal(signal.SIGKILL)


@pytest.fixture
def s3_server(s3_process: str, monkeypatch: pytest.MonkeyPatch) -> Callable[..., S3Bucket]:
    """Makes buckets: ``s3_server(fail_every=3, how="503")``; the environment is that of the last one."""

    def make(fail_every: int = 0, how: str = "503") -> S3Bucket:
        env = {
            "AWS_ACCESS_KEY_ID": KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_REGION": "us-east-1",
            "AWS_ENDPOINT_URL": s3_process,
            "AWS_ALLOW_HTTP": "true",
        }
        bucket = S3Bucket(s3_process, f"bucket-{uuid.uuid4().hex[:12]}", env)
        _ask(f"{s3_process}/{bucket.name}", "PUT")
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            monkeypatch.delenv(name)
        for name, value in env.items():
            monkeypatch.setenv(name, value)
        bucket.fail(fail_every, how)
        return bucket

    return make


@pytest.fixture
def gcs_server(
    s3_process: str, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., S3Bucket]:
    """The same for Google's API, whose XML is nearly that of S3: ``gcs_server(fail_every=3)``."""

    def make(fail_every: int = 0, how: str = "503") -> S3Bucket:
        account = tmp_path_factory.mktemp("google") / "account.json"
        keys = {"client_email": "", "private_key": "", "private_key_id": ""}
        account.write_text(json.dumps({"gcs_base_url": s3_process, "disable_oauth": True, **keys}))
        env = {"GOOGLE_SERVICE_ACCOUNT": str(account), "GOOGLE_ALLOW_HTTP": "true"}
        bucket = S3Bucket(s3_process, f"{_GOOGLES}{uuid.uuid4().hex[:12]}", env, "gs")
        _ask(f"{s3_process}/{bucket.name}", "PUT")
        for name, value in env.items():
            monkeypatch.setenv(name, value)
        bucket.fail(fail_every, how)
        return bucket

    return make


def _wait_for(endpoint: str, process: subprocess.Popen[bytes], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            _ask(f"{endpoint}{_CONTROL}counts?bucket=none")
        except OSError:
            if process.poll() is not None:
                raise RuntimeError((process.stderr.read() if process.stderr else b"").decode()) from None
            time.sleep(0.05)
        else:
            return
    raise TimeoutError(f"the S3 server did not answer in {seconds} s")


def _ask(url: str, method: str = "GET") -> str:
    # The session's own bucket is made with a key, as every request to the server has one.
    headers = {"Authorization": f"AWS4-HMAC-SHA256 Credential={KEY}/20260101/us-east-1/s3/aws4_request"}
    request = urllib.request.Request(url, method=method, headers=headers)
    with urllib.request.urlopen(request, timeout=10) as answer:
        return answer.read().decode()


def as_google(application):
    """WSGI that understands Google's dialect of S3: other credentials, other names of the same headers."""

    def translated(environ, start_response):
        if not environ["PATH_INFO"].startswith(f"/{_GOOGLES}"):
            return application(environ, start_response)
        if "Credential=" not in environ.get("HTTP_AUTHORIZATION", ""):  # the session's own, or a client's
            environ["HTTP_AUTHORIZATION"] = (
                f"AWS4-HMAC-SHA256 Credential={KEY}/20260101/us-east-1/s3/aws4_request"
            )
        for name in ("RAW_URI", "REQUEST_URI"):  # its client writes these letters so; moto does not read them
            for code, letter in (("%2D", "-"), ("%2E", "."), ("%5F", "_"), ("%7E", "~")):
                environ[name] = environ[name].replace(code, letter)
        for name in [name for name in environ if name.startswith("HTTP_X_GOOG_META_")]:
            environ[name.replace("GOOG", "AMZ", 1)] = environ[name]

        def start(status, headers, *more):
            renamed = [
                (name.lower().replace("x-amz-meta-", "x-goog-meta-"), value) for name, value in headers
            ]
            return start_response(status, renamed, *more)

        return application(environ, start)

    return translated


class Faults:
    """WSGI in front of WSGI."""

    def __init__(self, application) -> None:
        self.application = application
        self.lock = Lock()
        self.rules: dict[str, tuple[int, str]] = {}
        self.seen: dict[str, Counter[str]] = {}

    def __call__(self, environ, start_response):
        path = environ["PATH_INFO"]
        if path.startswith(_CONTROL):
            return self._control(path.removeprefix(_CONTROL), environ, start_response)
        how = self._fault_of(path.split("/")[1], environ)
        refused = self._refused(environ)
        if refused:
            return _error(environ, start_response, "403 Forbidden", refused)
        if how == "503":
            return _error(environ, start_response, "503 Slow Down", "SlowDown")
        if how == "429":
            return _error(environ, start_response, "429 Too Many Requests", "TooManyRequests")
        if how == "full":
            return _error(environ, start_response, "507 Insufficient Storage", "XMinioStorageFull")
        if how == "reset":
            return _reset(environ)
        if how in ("cut", "lost"):
            return self._spoilt(environ, start_response, how)
        return self.application(environ, start_response)

    def _control(self, what, environ, start_response):
        asked = {name: values[0] for name, values in parse_qs(environ["QUERY_STRING"], True).items()}
        bucket, text = asked["bucket"], ""
        with self.lock:
            if what == "faults":
                self.rules[bucket] = int(asked["every"]), asked["how"]
                self.seen[bucket] = Counter()
            else:
                text = "\n".join(f"{name} {number}" for name, number in self.seen.get(bucket, {}).items())
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [text.encode()]

    def _refused(self, environ):
        authorization = environ.get("HTTP_AUTHORIZATION", "")
        if f"Credential={READ_ONLY_KEY}/" in authorization:
            return "" if environ["REQUEST_METHOD"] in ("GET", "HEAD") else "AccessDenied"
        return "" if f"Credential={KEY}/" in authorization else "InvalidAccessKeyId"

    def _fault_of(self, bucket, environ):
        method = environ["REQUEST_METHOD"]
        with self.lock:
            every, how = self.rules.get(bucket, (0, ""))
            seen = self.seen.setdefault(bucket, Counter())
            seen[method] += 1
            seen["all"] += 1
            if not every or seen["all"] % every:
                return ""
            seen["faults"] += 1
            return how

    def _spoilt(self, environ, start_response, how):
        kept = []
        body = b"".join(self.application(environ, lambda *answer: kept.append(answer)))
        if how == "lost" or len(body) < 2:
            return _reset(environ)
        status, headers = kept[0][:2]
        headers = [item for item in headers if item[0].lower() != "content-length"]
        start_response(status, [*headers, ("Content-Length", str(len(body)))])
        return [body[: len(body) // 2]]


def _error(environ, start_response, status, code):
    environ["wsgi.input"].read(
        int(environ.get("CONTENT_LENGTH") or 0)
    )  # or the client, still sending, would see a reset
    quoted = environ.get("HTTP_AUTHORIZATION", "")  # as real servers quote what was asked
    body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>{quoted}</Message></Error>".encode()
    start_response(status, [("Content-Type", "application/xml"), ("Content-Length", str(len(body)))])
    return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]


def _reset(environ):
    connection = environ["werkzeug.socket"]
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.shutdown(socket.SHUT_RDWR)  # closing alone would wait for the server's own handles
    raise ConnectionResetError


def _serve(port: int) -> None:
    import logging

    from moto.server import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import make_server

    logging.getLogger("werkzeug").setLevel(logging.CRITICAL)
    application = Faults(DomainDispatcherApplication(create_backend_app))
    server = make_server("127.0.0.1", port, as_google(application), threaded=True)
    # The parent holds the other end of standard input, which closes also when the parent is killed.
    Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
    server.serve_forever()


if __name__ == "__main__":
    _serve(int(sys.argv[1]))
