import http.client
import json
import os
import re
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager

import pytest

from tests.support.browser import opened_browser
from turntable.service import make_access, write_access
from turntable.testing.datasets import make_synthetic_dataset


class Running:
    """A service in a process of its own, started by the command line."""

    def __init__(self, process, port, log):
        self.process, self.port, self.log = process, port, log
        self.url = f"http://127.0.0.1:{port}"

    def ask(self, path, method="GET", headers=None, body=None):
        """Send one request on a new connection and return status, headers and body."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            data = json.dumps(body) if isinstance(body, dict) else body
            kind = {"Content-Type": "application/json"} if isinstance(body, dict) else {}
            connection.request(method, path, data, {**kind, **(headers or {})})
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()

    def json(self, path, **more):
        status, _, body = self.ask(path, **more)
        assert status == 200, body
        return json.loads(body)

    def stop(self):
        self.process.terminate()
        return self.process.wait(30)


@contextmanager
def started(folders, *options, port=0, log):
    """Serve folders until the block ends."""
    command = [sys.executable, "-m", "turntable", "serve", *map(str, folders), "--port", str(port), *options]
    with log.open("ab") as file:
        process = subprocess.Popen(
            command, stdout=file, stderr=subprocess.STDOUT, env={**os.environ, "PYTHONUNBUFFERED": "1"}
        )
    try:
        deadline = time.monotonic() + 60
        began = log.stat().st_size if port else 0
        while True:
            found = re.findall(r"running on http://127\.0\.0\.1:(\d+)", log.read_text())
            if found and process.poll() is None:
                break
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()[began:]
            time.sleep(0.05)
        yield Running(process, int(found[-1]), log)
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait(30)


@pytest.fixture(scope="session")
def served_folder(tmp_path_factory):
    """A small data set, not to be changed."""
    folder = tmp_path_factory.mktemp("served") / "small"
    make_synthetic_dataset(folder, num_objects=24, num_categories=3, num_views=4, image_size=32)
    return folder


@pytest.fixture
def sets(served_folder, tmp_path):
    """A folder with two copies of the small data set, which a test may change."""
    for name in ("open", "secret"):
        shutil.copytree(served_folder, tmp_path / "sets" / name)
    return tmp_path / "sets"


@pytest.fixture
def keys(tmp_path):
    """The texts of a reader's and an admin's token, and the path of the file of tokens."""
    access, texts = make_access(), {}
    for name, scopes in (("reader", ["read"]), ("root", ["admin"])):
        access, _, texts[name] = access.with_new_token(name, scopes)
    write_access(tmp_path / "access.json", access)
    return texts, tmp_path / "access.json"


@pytest.fixture(scope="module")
def running(served_folder, tmp_path_factory):
    with started([served_folder], log=tmp_path_factory.mktemp("log") / "log") as service:
        yield service


@pytest.fixture
def start(tmp_path):
    """Return a function that starts services, which end with the test at the latest."""
    stack = []

    def _start(*folders, options=(), port=0):
        context = started(folders, *options, port=port, log=tmp_path / f"log{len(stack)}")
        stack.append(context)
        return context.__enter__()

    yield _start
    for context in stack:
        context.__exit__(None, None, None)


@pytest.fixture(scope="session")
def zoo(tmp_path_factory):
    """A small rendered data set with object coordinates, whose views can be rendered again."""
    pytest.importorskip("embreex")
    from turntable.datasets import load_recipe
    from turntable.renderer import generate
    from turntable.renderer.meshes.sources import ZooSource

    folder = tmp_path_factory.mktemp("zoo") / "zoo"
    recipe = load_recipe("zoo-benchmark").replace(views=4, image_size_px=64, outputs=["rgb", "coordinates"])
    generate(recipe, ZooSource(6, ("dog", "truck")), folder, num_workers=1, backend="embree")
    return folder


@pytest.fixture(scope="module")
def browser():
    with opened_browser() as opened:
        yield opened


@pytest.fixture
def page(browser):
    """A new page, in which no error may occur and which may request nothing from other servers."""
    context = browser.new_context(viewport={"width": 1100, "height": 900})
    opened, problems = context.new_page(), []
    opened.on("pageerror", lambda error: problems.append(str(error)))
    opened.on("requestfailed", lambda request: problems.append(f"{request.url}: {request.failure}"))
    urls = []
    opened.on("request", lambda request: urls.append(request.url))
    opened.set_default_timeout(60_000)
    yield opened
    failed = list(problems)  # before the page is closed, which aborts running requests
    context.close()
    assert not [problem for problem in failed if "ERR_ABORTED" not in problem and "blob:" not in problem]
    assert all(url.startswith(("http://127.0.0.1:", "blob:", "data:")) for url in urls)
