"""Pages of another origin in a real browser: what they can read, and what they cannot."""

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.support.browser import CHROMIUM
from turntable.service import make_access, write_access

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="Debian's chromium is not installed"),
]
FETCH = """async ([url, options]) => {
  try {
    const answer = await fetch(url, options);
    return { status: answer.status, size: (await answer.arrayBuffer()).byteLength, url: answer.url,
             headers: Object.fromEntries(answer.headers) };
  } catch (error) { return { status: 0, problem: String(error) }; }
}"""


class Blank(BaseHTTPRequestHandler):
    """A server of empty pages: a notebook, as far as the service can tell."""

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()

    def log_message(self, *_):
        pass


@contextmanager
def other_origin():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Blank)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def notebook(browser):
    """Return a function that fetches from a page of another origin, and that origin."""
    context = browser.new_context()
    with other_origin() as origin:
        page = context.new_page()
        page.goto(origin)
        yield lambda url, **options: page.evaluate(FETCH, [url, options]), origin, context
    context.close()


@pytest.fixture
def token(tmp_path):
    access, _, text = make_access().with_new_token("ada", ["read"])
    write_access(tmp_path / "access.json", access)
    return text


def post(body):
    return {"method": "POST", "headers": {"Content-Type": "application/json"}, "body": body}


QUERY = '{"dataset": "open", "where": "view < 2"}'


def test_a_page_that_is_not_allowed_reads_nothing(notebook, start, sets):
    fetch, _, _ = notebook
    service = start(sets)
    assert fetch(f"{service.url}/datasets")["status"] == 0
    assert fetch(f"{service.url}/query", **post(QUERY))["status"] == 0
    blind = {"method": "POST", "mode": "no-cors", "headers": {"Content-Type": "text/plain"}, "body": QUERY}
    assert fetch(f"{service.url}/query", **blind)["status"] == 0  # opaque: sent, and refused
    service.stop()
    log = service.log.read_text()
    assert '"method": "POST", "path": "/query", "status": 403' in log
    assert '"path": "/query", "status": 200' not in log


def test_a_page_of_a_named_origin_reads_with_cookie_or_token(notebook, start, sets, token, tmp_path):
    fetch, origin, context = notebook
    service = start(sets, options=["--access", str(tmp_path / "access.json"), "--allow-origin", origin])
    file = f"{service.url}/datasets/open/files/labels.parquet"
    assert fetch(file)["status"] == 401
    bearer = {"Authorization": f"Bearer {token}"}
    part = fetch(file, headers={**bearer, "Range": "bytes=0-99"})
    assert (part["status"], part["size"]) == (206, 100)
    assert part["headers"]["content-range"].startswith("bytes 0-99/")
    assert part["headers"]["etag"]
    made = fetch(f"{service.url}/query", **{**post(QUERY), "headers": {**post(QUERY)["headers"], **bearer}})
    assert (made["status"], made["headers"]["location"].startswith("./datasets/open/subsets/")) == (200, True)
    gallery = context.new_page()
    gallery.goto(f"{service.url}/gallery/")
    gallery.get_by_label("Token").fill(token)
    gallery.keyboard.press("Enter")
    gallery.get_by_role("link", name="open").wait_for()
    assert fetch(file)["status"] == 401  # without credentials no cookie is sent
    assert fetch(file, credentials="include")["status"] == 200


def test_any_page_reads_public_data_without_cookie_and_token(notebook, start, sets, token, tmp_path):
    fetch, _, context = notebook
    options = ["--access", str(tmp_path / "access.json"), "--public", "open", "--allow-origin", "*"]
    service = start(sets, options=options)
    open_, secret = (f"{service.url}/datasets/{name}/files/labels.parquet" for name in ("open", "secret"))
    assert fetch(open_)["status"] == 200
    assert fetch(f"{service.url}/query", **post(QUERY))["status"] == 200
    assert fetch(secret)["status"] == 401
    assert fetch(secret, headers={"Authorization": f"Bearer {token}"})["status"] == 0
    gallery = context.new_page()
    gallery.goto(f"{service.url}/gallery/")
    gallery.get_by_role("button", name="Sign in").click()
    gallery.get_by_label("Token").fill(token)
    gallery.keyboard.press("Enter")
    gallery.get_by_role("link", name="secret").wait_for()
    assert fetch(secret, credentials="include")["status"] == 0
    assert fetch(f"{service.url}/logout", method="POST", mode="no-cors", credentials="include")["status"] == 0
    gallery.reload()
    gallery.get_by_role("link", name="secret").wait_for()  # still signed in
