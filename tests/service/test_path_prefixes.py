"""The service under a path prefix, without a proxy: what it strips, and which addresses it sends."""

from urllib.parse import urljoin

import pytest

from tests.support.asking import bearer, client_of
from turntable.cli import main
from turntable.errors import InvalidInputError
from turntable.service import ServiceSettings, read_access
from turntable.service.security import path_prefixes
from turntable.service.security.path_prefixes import parse_root_path, strip_prefix

PREFIX = "/user/ada/proxy/8765"
QUERY = {"dataset": "open", "where": "floor_hue < 0.5", "splits": ["train"]}


@pytest.mark.parametrize(
    ("text", "prefix"),
    [
        ("", ""),
        ("/", ""),
        (PREFIX, PREFIX),
        (f"{PREFIX}/", PREFIX),
        ("/user/ada%40example.org/proxy", "/user/ada@example.org/proxy"),
        ("/data", "/data"),
        ("/my/datasets", "/my/datasets"),
    ],
)
def test_a_prefix_is_a_path(text, prefix):
    assert parse_root_path(text) == prefix


@pytest.mark.parametrize(
    "text",
    [
        "data",
        "//evil.org/x",
        "/a//b",
        "/a/../b",
        "/a/%2e%2e/b",
        "/a b",
        "/a?b",
        "/a#b",
        "/a%0d%0ab",
        "https://hub.example.org/user",
    ],
)
def test_what_is_no_path_is_refused(text):
    with pytest.raises(InvalidInputError, match=r"--root-path .*: give the path under which a proxy offers"):
        parse_root_path(text)


def test_a_prefix_that_could_be_a_path_of_the_service_is_refused(sets):
    with client_of(sets) as client:
        own = {route.path.split("/")[1] for route in client.app.routes} - {""}
    assert own == path_prefixes._OWN_NAMES
    for name in own:
        with pytest.raises(InvalidInputError, match="a path of the service itself begins so"):
            parse_root_path(f"/{name}/x")


def test_only_whole_parts_are_stripped():
    assert strip_prefix(f"{PREFIX}/datasets", PREFIX) == "/datasets"
    assert strip_prefix(PREFIX, PREFIX) == "/"
    assert strip_prefix(f"{PREFIX}0/datasets", PREFIX) == f"{PREFIX}0/datasets"
    assert strip_prefix("/datasets", PREFIX) == "/datasets"
    assert strip_prefix("/datasets", "") == "/datasets"


@pytest.mark.parametrize("start", ["", PREFIX])
def test_a_service_with_a_root_path_answers_with_and_without_it(sets, start):
    with client_of(sets, ServiceSettings(root_path=PREFIX)) as client:
        for path in ("/datasets", "/gallery/main.js", "/datasets/open/about", "/healthz"):
            assert client.get(start + path).status_code == 200, path
        assert client.get(f"{start}0/datasets").status_code == 404


@pytest.mark.parametrize("root_path", ["", PREFIX])
def test_every_address_is_relative_to_the_one_that_was_asked(sets, root_path):
    """Proxies rewrite absolute ones, or do not, so no absolute path would be right behind all of them."""
    with client_of(sets, ServiceSettings(root_path=root_path)) as client:
        for path in ("/", "/gallery"):
            location = client.get(root_path + path).headers["location"]
            assert location == "./gallery/"
            assert urljoin(PREFIX + path, location) == f"{PREFIX}/gallery/"
        location = client.post(f"{root_path}/query", json=QUERY).headers["location"]
        assert urljoin(f"{PREFIX}/query", location).startswith(f"{PREFIX}/datasets/open/subsets/")
        subset = urljoin(f"{root_path}/query", location)
        assert client.get(f"{subset}/manifest.json").json()["subset"]["images"] > 0
        assert client.get(f"{root_path}/openapi.json").json()["servers"] == [{"url": "."}]


def test_the_prefix_without_a_slash_leads_to_the_gallery(sets):
    for root_path in (PREFIX, "/data", "/a%20b/c%40d"):
        with client_of(sets, ServiceSettings(root_path=root_path)) as client:
            location = client.get(root_path).headers["location"]
            assert urljoin(root_path, location) == f"{root_path}/gallery/"


def test_the_cookie_belongs_to_the_folder_of_the_service_alone(sets, keys):
    """A cookie for the whole host would go to every other user of a hub."""
    texts, path = keys
    with client_of(sets, ServiceSettings(access_file=path, root_path=PREFIX)) as client:
        answer = client.post(f"{PREFIX}/login", json={"token": texts["reader"]})
        assert "path" not in answer.headers["set-cookie"].lower()  # the browser takes the folder of /login
        (cookie,) = client.cookies.jar
        assert cookie.path == PREFIX
        assert client.get(f"{PREFIX}/datasets/open").status_code == 200
        assert client.get("/datasets/open").status_code == 401
        client.post(f"{PREFIX}/logout")
        assert not list(client.cookies.jar)


def test_the_cookie_of_the_longest_path_counts(sets, keys):
    """A browser sends it first, before that of another service at the root of the same host."""
    texts, path = keys
    with client_of(sets, ServiceSettings(access_file=path)) as client:
        for cookies, status in (
            (f"a=b; turntable_token={texts['reader']}; turntable_token=other", 200),
            (f"turntable_token=other; turntable_token={texts['reader']}", 401),
            ("=; ;turntable_token", 401),
        ):
            assert client.get("/datasets/open", headers={"Cookie": cookies}).status_code == status


def test_a_link_under_a_prefix(sets, keys, capsys):
    _, path = keys
    token = read_access(path).tokens[0].id
    url = f"http://localhost{PREFIX}/datasets/open"
    with pytest.raises(SystemExit) as ended:
        main(["token", "link", token, url, "--access", str(path)])
    link = capsys.readouterr().out.strip()
    assert ended.value.code == 0
    assert link.startswith(f"{url}?token={token}&until=")
    with client_of(sets, ServiceSettings(access_file=path, root_path=PREFIX)) as client:
        assert client.get(link).status_code == 200
        assert client.get(link.replace("/open?", "/secret?")).status_code == 401
        assert client.get("/healthz", headers=bearer("x")).status_code == 200
