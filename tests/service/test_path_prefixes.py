"""The service under a path prefix, without a proxy: what it strips, and which addresses it sends."""

from urllib.parse import urljoin

import pytest
from starlette.testclient import TestClient

from tests.support.asking import bearer, client_of
from turntable.cli import main
from turntable.errors import InvalidInputError
from turntable.service import ServiceSettings, build_catalog, create_app, read_access
from turntable.service.security import path_prefixes
from turntable.service.security.path_prefixes import parse_root_path, strip_prefix

PREFIX = "/user/ada/proxy/8765"
QUERY = {"dataset": "open", "where": "floor_hue < 0.5", "splits": ["train"]}
BEHIND = {"X-Forwarded-Prefix": "/p/8765/"}
PROXIED = ServiceSettings(trusted_proxies=("127.0.0.1",))


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
        "/" + "x" * 600,
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
        for path in ("/", "/gallery"):
            assert client.get(start + path).headers["location"] == f"{PREFIX}/gallery/"
        assert client.get(f"{start}/openapi.json").json()["servers"] == [{"url": PREFIX}]
        location = client.post(f"{start}/query", json=QUERY).headers["location"]
        assert location.startswith(f"{PREFIX}/datasets/open/subsets/")
        assert client.get(f"{location}/manifest.json").json()["subset"]["images"] > 0
    with client_of(sets, ServiceSettings(root_path=PREFIX)) as client:
        assert (
            client.get(PREFIX).headers["location"] == f"{PREFIX}/gallery/"
        )  # not relative to /user/ada/proxy/


def test_addresses_are_relative_where_the_prefix_is_unknown(sets):
    """Then a client finds them below whatever address it asked."""
    with client_of(sets) as client:
        assert client.get("/").headers["location"] == "gallery/"
        assert client.get("/openapi.json").json()["servers"] == [{"url": "."}]
        answer = client.post("/query", json=QUERY)
        outside = urljoin(f"https://hub.example.org{PREFIX}/query", answer.headers["location"])
        assert outside.startswith(f"https://hub.example.org{PREFIX}/datasets/open/subsets/")
        assert client.get(urljoin("/query", answer.headers["location"]) + "/manifest.json").status_code == 200


@pytest.fixture
def proxied_client(sets):
    """A client whose address is that of a trusted proxy."""
    app = create_app(build_catalog([sets]), PROXIED)
    with TestClient(app, "http://localhost", follow_redirects=False, client=("127.0.0.1", 5)) as client:
        yield client


def test_a_forwarded_prefix_is_trusted_from_named_proxies_only(sets, proxied_client):
    assert proxied_client.get("/", headers=BEHIND).headers["location"] == "/p/8765/gallery/"
    with client_of(sets, PROXIED) as stranger:
        assert stranger.get("/", headers=BEHIND).headers["location"] == "gallery/"


@pytest.mark.parametrize(
    ("value", "location"),
    [
        ("/p/8765", "/p/8765/gallery/"),
        ("/other, /p/8765/", "/p/8765/gallery/"),
        ("/a%20b", "/a%20b/gallery/"),
        ("", "gallery/"),
        ("//evil.org", "gallery/"),
        ("https://evil.org", "gallery/"),
        ("/a/../b", "gallery/"),
    ],
)
def test_the_prefix_that_a_trusted_proxy_stripped(proxied_client, value, location):
    headers = {"X-Forwarded-Prefix": value}
    assert proxied_client.get("/", headers=headers).headers["location"] == location
    assert proxied_client.get("/datasets", headers=headers).status_code == 200


def test_a_forwarded_prefix_is_never_part_of_the_requested_path(proxied_client):
    """By the convention of this header, the proxy has stripped it already."""
    assert proxied_client.get("/p/8765/datasets", headers=BEHIND).status_code == 404
    answer = proxied_client.post("/query", json=QUERY, headers=BEHIND)
    assert answer.headers["location"].startswith("/p/8765/datasets/open/subsets/")


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
