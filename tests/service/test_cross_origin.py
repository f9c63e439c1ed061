"""Pages of other origins: the headers that let them read, and the requests that are refused."""

import pytest

from tests.support.asking import client_of
from turntable.errors import InvalidInputError
from turntable.service import ServiceSettings
from turntable.service.security import OriginPolicy

HUB, EVIL = "https://hub.example.org", "https://evil.example.org"
ALLOWED, SHOWN = "access-control-allow-origin", "access-control-expose-headers"
QUERY = {"dataset": "open", "where": "true"}


def ask_first(client, origin, method="POST", path="/query", headers="content-type"):
    asked = {"Origin": origin, "Access-Control-Request-Method": method}
    return client.options(path, headers={**asked, "Access-Control-Request-Headers": headers})


@pytest.mark.parametrize(
    ("text", "origin"),
    [
        (HUB, HUB),
        ("HTTPS://Hub.Example.Org:443/", HUB),
        ("http://localhost:8888", "http://localhost:8888"),
        ("http://10.0.0.1:80", "http://10.0.0.1"),
        ("http://[::1]:8888", "http://[::1]:8888"),
    ],
)
def test_an_origin_is_written_as_browsers_write_it(text, origin):
    assert OriginPolicy.from_names([text]).named == {origin}


@pytest.mark.parametrize("text", ["null", "hub.example.org", f"{HUB}/page", "file://", "https://*.org", ""])
def test_what_is_no_origin_is_refused(text):
    with pytest.raises(InvalidInputError, match=r"--allow-origin .*: give the origin of a page"):
        OriginPolicy.from_names([text])


def test_without_allowed_origins_no_page_may_read(sets):
    with client_of(sets) as client:
        answer = client.get("/datasets", headers={"Origin": HUB})
        assert (answer.status_code, ALLOWED in answer.headers) == (200, False)
        refused = ask_first(client, HUB)
        assert (refused.status_code, ALLOWED in refused.headers) == (403, False)
        assert "--allow-origin" in refused.json()["error"]
        assert client.options("/query").status_code == 405


def test_a_named_origin_may_read_with_cookies_and_tokens(sets):
    with client_of(sets, ServiceSettings(allow_origins=(HUB,))) as client:
        answer = client.get(
            "/datasets/open/files/labels.parquet", headers={"Origin": HUB, "Range": "bytes=0-3"}
        )
        assert answer.headers[ALLOWED] == HUB
        assert answer.headers["access-control-allow-credentials"] == "true"
        shown = answer.headers[SHOWN].split(", ")
        assert {"ETag", "Content-Range", "Accept-Ranges", "Location", "Retry-After"} <= set(shown)
        first = ask_first(client, HUB)
        assert (first.status_code, first.content) == (204, b"")
        assert first.headers[ALLOWED] == HUB
        assert first.headers["access-control-allow-methods"] == "GET, HEAD, POST"
        accepted = first.headers["access-control-allow-headers"].split(", ")
        assert {"Authorization", "Content-Type", "Range", "If-None-Match"} <= set(accepted)
        for headers in ({"Origin": HUB}, {"Origin": EVIL}, {}):
            assert "Origin" in client.get("/datasets", headers=headers).headers["vary"]
        for origin in (EVIL, "null", f"{HUB}:8443", "https://hub.example.org.evil.org", HUB.upper()):
            assert ALLOWED not in client.get("/datasets", headers={"Origin": origin}).headers, origin
            assert ask_first(client, origin).status_code == 403


def test_a_page_can_read_why_it_is_refused(sets, keys):
    settings = ServiceSettings(access_file=keys[1], allow_origins=(HUB,), max_requests_per_second=2)
    with client_of(sets, settings) as client:
        answers = [client.get("/datasets", headers={"Origin": HUB}) for _ in range(6)]
        assert {answer.status_code for answer in answers} == {401, 429}
        assert all(answer.headers[ALLOWED] == HUB for answer in answers)
        assert {"Authorization, Cookie, Origin", "Origin, Authorization, Cookie"} >= {
            answers[0].headers["vary"]
        }
        assert ask_first(client, HUB).status_code == 204  # needs no token, as browsers send none


def test_all_origins_may_read_without_cookies_and_tokens(sets):
    with client_of(sets, ServiceSettings(allow_origins=("*",))) as client:
        for headers in ({"Origin": EVIL}, {"Origin": "null"}, {}):
            answer = client.get("/datasets", headers=headers)
            assert answer.headers[ALLOWED] == "*"
            assert "access-control-allow-credentials" not in answer.headers
        first = ask_first(client, EVIL)
        assert first.status_code == 204
        assert "Authorization" not in first.headers["access-control-allow-headers"]
    with client_of(sets, ServiceSettings(allow_origins=("*", HUB))) as client:
        assert client.get("/datasets", headers={"Origin": HUB}).headers[ALLOWED] == HUB
        assert client.get("/datasets", headers={"Origin": EVIL}).headers[ALLOWED] == "*"
        assert "Authorization" in ask_first(client, HUB).headers["access-control-allow-headers"]


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
@pytest.mark.parametrize("path", ["/query", "/login", "/logout", "/render"])
def test_a_page_of_another_origin_cannot_post(sets, site, path):
    """Even one that its browser does not ask for first, such as a form's."""
    foreign = {"Origin": EVIL, "Sec-Fetch-Site": site}
    with client_of(sets, ServiceSettings(allow_origins=(HUB,))) as client:
        refused = client.post(path, json=QUERY, headers=foreign)
        assert (refused.status_code, EVIL in refused.json()["error"]) == (403, True)
        assert client.post(path, json=QUERY, headers=foreign | {"Origin": HUB}).status_code != 403
        assert client.post(path, json=QUERY, headers={"Sec-Fetch-Site": "same-origin"}).status_code != 403
        assert client.post(path, json=QUERY).status_code != 403  # a program
    with client_of(sets, ServiceSettings(allow_origins=("*",))) as client:
        status = client.post(path, json=QUERY, headers=foreign).status_code
        assert (status == 403) == (path in ("/login", "/logout"))  # cookies are for named origins
