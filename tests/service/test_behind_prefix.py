"""The service under a deep path of nginx, which strips it or leaves it: for programs and in a browser."""

import json
import re
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urljoin

import pytest

from tests.support.browser import CHROMIUM
from tests.support.nginx import NGINX, running_nginx
from tests.support.ports import free_port
from turntable.datasets import open_dataset
from turntable.service import make_access, write_access

pytestmark = pytest.mark.skipif(NGINX is None, reason="Debian's nginx is not installed")
PAGE = Path(__file__).resolve().parents[2] / "docs" / "service.md"
PREFIX = "/user/ada/proxy/8765"
FORMS = ["stripped", "left"]
"""Both kinds of proxies: one strips the prefix, the other leaves it for --root-path."""


@contextmanager
def proxied(form, start, folder, tmp_path, *options):
    """Serve a folder behind nginx under the prefix, and yield the service and its URL outside."""
    more = ["--root-path", PREFIX] if form == "left" else []
    service, port = start(folder, options=[*more, "--allow-host", "hub.example.org", *options]), free_port()
    target = f"http://127.0.0.1:{service.port}{'' if form == 'left' else '/'}"
    place = f"location {PREFIX}/ {{ proxy_pass {target}; proxy_set_header Host hub.example.org; }}"
    with running_nginx(tmp_path, port, f"server {{ listen 127.0.0.1:{port}; {place} }}"):
        yield service, f"http://127.0.0.1:{port}{PREFIX}"


@pytest.mark.parametrize("form", FORMS)
def test_every_address_that_a_program_is_sent_stays_below_the_prefix(form, start, served_folder, tmp_path):
    from turntable.loaders import BatchConfig, Loader, Views

    with proxied(form, start, served_folder, tmp_path) as (_, url):
        for path in ("", "/", "/gallery", "/gallery/"):
            with urllib.request.urlopen(url + path, timeout=20) as answer:
                assert answer.url == f"{url}/gallery/"
                assert b"turntable gallery" in answer.read()
        body = json.dumps({"dataset": "small", "where": "floor_hue < 0.5"}).encode()
        asked = urllib.request.Request(f"{url}/query", body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(asked, timeout=20) as answer:
            subset = urljoin(answer.url, answer.headers["Location"])
            manifest = json.load(answer)
        assert subset.startswith(f"{url}/datasets/small/subsets/")
        count = 0
        for split in manifest["splits"]:
            config = BatchConfig(
                split=split, sampler=Views(False), batch_size=8, last_batch="short", output="numpy"
            )
            count += sum(len(batch["view"]) for batch in Loader(subset, config, cache=False))
        assert count == manifest["subset"]["images"]
        with urllib.request.urlopen(f"{url}/openapi.json", timeout=20) as answer:
            server = json.load(answer)["servers"][0]["url"]
            assert urljoin(answer.url, server).rstrip("/") == url
        with pytest.raises(urllib.error.HTTPError, match="404"):
            urllib.request.urlopen(url.removesuffix(PREFIX) + "/gallery/", timeout=20)


def test_the_documented_location_of_nginx(start, served_folder, tmp_path):
    (place,) = re.findall(r"```text\n(location /turntable/ .*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    service = start(served_folder, options=["--trusted-proxy", "127.0.0.1"])
    port = free_port()
    assert "127.0.0.1:8765" in place
    place = place.replace("127.0.0.1:8765", f"127.0.0.1:{service.port}")
    with running_nginx(tmp_path, port, f"server {{ listen 127.0.0.1:{port}; {place} }}"):
        url = f"http://127.0.0.1:{port}/turntable"
        for path in ("", "/", "/gallery"):
            with urllib.request.urlopen(url + path, timeout=20) as answer:
                assert answer.url == f"{url}/gallery/"
        with urllib.request.urlopen(f"{url}/datasets/small/manifest.json", timeout=20) as answer:
            assert answer.read() == (served_folder / "manifest.json").read_bytes()


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="Debian's chromium is not installed")
@pytest.mark.parametrize("form", FORMS)
def test_every_page_works_in_a_browser(form, page, start, zoo, tmp_path):
    access, _, text = make_access().with_new_token("ada", ["render"], days=2)
    write_access(tmp_path / "access.json", access)
    with open_dataset(zoo).open_split("train") as train:
        key = train.keys[0]
    asked = []
    page.on("request", lambda request: asked.append(request.url))

    def all_pictures_are_shown():
        page.wait_for_function(
            "() => [...document.images].filter(image => image.loading !== 'lazy')"
            ".every(image => image.complete && image.naturalWidth > 0)"
        )

    options = ("--access", str(tmp_path / "access.json"), "--render", "--backend", "embree")
    with proxied(form, start, zoo, tmp_path, *options) as (_, url):
        page.goto(f"{url}/")
        page.get_by_role("heading", name="Sign in to see this page").wait_for()
        page.get_by_label("Token").fill(text)
        page.keyboard.press("Enter")
        page.get_by_role("link", name="zoo").wait_for()
        assert [cookie["path"] for cookie in page.context.cookies()] == [PREFIX]
        all_pictures_are_shown()
        page.get_by_role("link", name="zoo").click()
        page.locator(".views img").first.wait_for()
        all_pictures_are_shown()
        page.get_by_label("Condition").fill("view < 2")
        page.get_by_role("button", name="Stream this subset").click()
        link = page.get_by_role("link", name="Manifest of the subset")
        assert link.get_attribute("href").startswith(f"{url}/datasets/zoo/subsets/")
        assert page.request.get(link.get_attribute("href")).json()["subset"]["images"] > 0
        for name in ("README.md", "croissant.json", "labels.parquet", "manifest.json"):
            assert page.request.get(page.get_by_role("link", name=name).get_attribute("href")).ok
        page.goto(f"{url}/gallery/#/d/zoo/o/{key}")
        page.get_by_role("application", name="Turntable").focus()
        page.keyboard.press("ArrowLeft")
        page.get_by_text("Rendered view of this rotation:").wait_for()
        page.goto(f"{url}/gallery/#/d/zoo/o/{key}/1")
        page.get_by_role("heading", name="view 1").wait_for()
        all_pictures_are_shown()
        page.goto(f"{url}/gallery/#/d/zoo/pair")
        page.get_by_text("relative_quaternion").wait_for()
        all_pictures_are_shown()
        page.get_by_role("button", name="Sign out").click()
        page.get_by_role("heading", name="Sign in to see this page").wait_for()
        assert not page.context.cookies()
    assert all(address.startswith((f"{url}/", "blob:", "data:")) for address in asked)
