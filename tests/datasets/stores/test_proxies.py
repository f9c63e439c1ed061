"""Servers that only a proxy reaches."""

import traceback

import pytest

from tests.support.proxy_server import FAR
from tests.support.readers import WORD, refusal
from turntable.datasets.stores.web import HttpStore, parse_origin
from turntable.datasets.stores.web.proxies import find_proxy, is_excluded
from turntable.errors import InvalidInputError, StoreError

MOST = 1 << 20
pytestmark = pytest.mark.usefixtures("home")


@pytest.mark.parametrize("variable", ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"])
def test_a_host_that_only_the_proxy_knows_is_asked_through_it(
    http_server, folder, proxy_server, monkeypatch, variable: str
) -> None:
    server, proxy = http_server(folder), proxy_server(password="me:word")
    monkeypatch.setenv(variable, proxy.url)
    store = HttpStore(f"http://{FAR}:{server.port}")
    assert store.read("x", MOST) == b"data"
    assert store.read_range("x", 1, 2) == b"at"
    assert b"".join(store.download("x").pieces) == b"data"
    assert [item[0] for item in proxy.asked] == ["GET"] * 3
    assert server.asked[0].host == f"{FAR}:{server.port}"


def test_https_goes_through_a_tunnel_that_hides_the_token(
    http_server, folder, proxy_server, monkeypatch, tls
) -> None:
    server, proxy = http_server(folder, token=WORD, tls=tls), proxy_server(password="me:word")
    monkeypatch.setenv("HTTPS_PROXY", proxy.url)
    assert HttpStore(f"https://data.example:{server.port}", WORD).read("x", MOST) == b"data"
    assert proxy.asked == [("CONNECT", f"data.example:{server.port}", None)]
    assert server.asked[0].token == f"Bearer {WORD}"


def test_a_token_is_not_shown_to_a_proxy(guarded, proxy_server, monkeypatch) -> None:
    proxy = proxy_server()
    monkeypatch.setenv("HTTP_PROXY", proxy.url)
    text = refusal(lambda: HttpStore(guarded.url, WORD).read("x", MOST))
    assert f"the token of the call would be shown to the proxy {proxy.url} (HTTP_PROXY)" in text
    assert proxy.asked == []
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    assert HttpStore(guarded.url, WORD).read("x", MOST) == b"data"
    assert proxy.asked == []


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_that_refuses_is_named_without_its_password(proxy_server, monkeypatch, scheme: str) -> None:
    proxy = proxy_server(password="me:right")
    monkeypatch.setenv("ALL_PROXY", proxy.url.replace("right", "s3cret"))
    with pytest.raises(StoreError) as caught:
        HttpStore(f"{scheme}://{FAR}").read("x", MOST)
    text = "".join(traceback.format_exception(caught.value))
    assert f"through the proxy http://127.0.0.1:{proxy.port} (ALL_PROXY): " in text
    assert "407" in text
    assert f"correct ALL_PROXY, or set NO_PROXY={FAR}" in text
    assert "s3cret" not in text
    assert len(proxy.asked) == 1  # it would answer the same again


def test_a_proxy_that_is_not_there_is_named(proxy_server, monkeypatch) -> None:
    monkeypatch.setattr("turntable.datasets.stores.retries.MAX_TRIES", 2)
    monkeypatch.setenv("https_proxy", "me:s3cret@127.0.0.1:1")
    text = refusal(lambda: HttpStore(f"https://{FAR}").read("x", MOST))
    assert "through the proxy http://127.0.0.1:1 (https_proxy): " in text
    assert "s3cret" not in text


@pytest.mark.parametrize(
    ("named", "said"),
    [
        ("socks5://host:1", "names a SOCKS proxy"),
        ("ftp://me:s3cret@host", "is not the URL of a proxy"),
        ("http://me:s3cret@host:99999", "is not the URL of a proxy"),
        ("http://", "is not the URL of a proxy"),
        ("http://[::1", "is not the URL of a proxy"),
    ],
)
def test_a_variable_that_names_no_proxy(named: str, said: str) -> None:
    with pytest.raises(InvalidInputError, match=f"HTTP_PROXY {said}") as caught:
        find_proxy(parse_origin("http://host"), {"HTTP_PROXY": named})
    assert "s3cret" not in str(caught.value)


def test_which_variable_counts() -> None:
    origin = parse_origin("https://host")
    environ = {"ALL_PROXY": "c", "HTTPS_PROXY": "b:1", "https_proxy": "http://u:p%2Fq@a", "HTTP_PROXY": "d"}
    found = find_proxy(origin, environ)
    assert (found.host, found.port, found.variable, found.password.text) == ("a", 80, "https_proxy", "p/q")
    del environ["https_proxy"]
    assert str(find_proxy(origin, environ)) == "the proxy http://b:1 (HTTPS_PROXY)"
    del environ["HTTPS_PROXY"]
    assert find_proxy(origin, environ).host == "c"
    assert find_proxy(origin, {"https_proxy": " "}) is None
    plain = parse_origin("http://host")
    assert find_proxy(plain, environ).host == "d"
    assert find_proxy(plain, environ | {"REQUEST_METHOD": "GET"}).host == "c"
    assert find_proxy(origin, {"https_proxy": "https://[::1]"}).url == "https://[::1]:443"


@pytest.mark.parametrize(
    ("entry", "inside", "outside"),
    [
        ("*", "http://any", ""),
        ("host.example", "http://host.example", "http://ahost.example"),
        ("host.example", "http://sub.host.example", "http://host.example.org"),
        (".example", "http://a.example", "http://example.org"),
        ("*.example", "http://a.b.EXAMPLE.", "http://aexample"),
        ("a, host:81 b", "http://host:81", "http://host:80"),
        ("host:443", "https://host", "https://host:444"),
        ("10.0.0.0/8", "http://10.1.2.3", "http://11.0.0.1"),
        ("10.1.2.3", "http://10.1.2.3:99", "http://10.1.2.4"),
        ("127.0.0.1:81", "http://127.0.0.1:81", "http://127.0.0.1:82"),
        ("fd00::/8", "http://[fd00::1]", "http://[fe00::1]"),
        ("::1", "http://[::1]", "http://[::2]"),
        ("[::1]:81", "http://[::1]:81", "http://[::1]:82"),
        (",  ,", "", "http://host"),
    ],
)
def test_hosts_that_need_no_proxy(entry: str, inside: str, outside: str) -> None:
    assert not inside or is_excluded(parse_origin(inside), entry)
    assert not outside or not is_excluded(parse_origin(outside), entry)
