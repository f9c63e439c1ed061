"""Servers that send without end, too slowly, or what no server should: readers stop at their bounds."""

import itertools
import re
import threading
import time

import pytest

from tests.support.bounds import ENOUGH, MOST, given_up
from tests.support.hostile_answers import HOSTILE
from turntable.datasets.stores import download_to_temporary_file
from turntable.datasets.stores.web import HttpStore
from turntable.errors import RejectedResponseError, TurntableError

pytestmark = pytest.mark.usefixtures("hasty")

ENDLESS = {
    "endless": "x: longer than the 100,000 bytes that are read of such a file; check that the path",
    "endless chunks": "longer than the 100,000 bytes",
    "long claim": "longer than the 100,000 bytes",
    "small chunks": "it sends chunks or trailers without end|longer than the 100,000 bytes",
    "endless trailers": "it sends chunks or trailers without end",
    "endless continue": "it sends headers without end",
    "endless headers": "got more than 100 headers",
    "many headers": "got more than 100 headers",
    "headers of 6 MB": "it sends headers without end",
    "long header": "got more than 65536 bytes when reading header line",
    "endless chunk size": "got more than 65536 bytes when reading chunk size|without end",
    "chunk of size -1": "it sends chunks or trailers without end",
    "chunk of size -5": "",
    "two lengths in one": "longer than the 100,000 bytes",
    "endless error": "the server answered 418",
    "endless refusal": "the server refuses .403.",
    "odd status": "",
}


@pytest.mark.parametrize("how", ENDLESS)
def test_a_small_file_is_read_up_to_its_bound(server, how: str) -> None:
    server.fail(how, times=100)
    text = given_up(lambda: HttpStore(server.url).read("x", MOST))
    assert re.search(ENDLESS[how], text), text
    assert server.url in text
    asked = len(server.asked)
    assert server.sent_in_all() < ENOUGH * asked
    assert asked <= (6 if how in ("chunk of size -5", "endless chunk size", "odd status") else 1)


def told_by(use) -> str:
    """Return the message of the error, or "" if the response could be used."""
    try:
        use()
    except TurntableError as error:
        return str(error)
    return ""


def take_some(pieces):
    """Yield the first pieces of a download, since a server may state any length."""
    return itertools.islice(pieces, 20)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("how", [*HOSTILE])
def test_no_answer_gets_past_any_way_of_reading(server, how: str) -> None:
    store = HttpStore(server.url)
    server.fail(how, times=1000)
    for use in (
        lambda: store.read("x", MOST),
        lambda: store.read_range("x", 0, 10),
        lambda: store.get_size("x"),
        lambda: store.get_sha256("x"),
        lambda: store.download("x", 5, '"tag"'),
        lambda: b"".join(take_some(store.download("x").pieces)),
        lambda: download_to_temporary_file(store, "x", MOST),
    ):
        began = time.monotonic()
        text = told_by(use)
        assert text.isprintable()
        assert len(text) < 500
        assert time.monotonic() - began < 30


def test_what_says_that_it_is_too_long_is_not_read_at_all(server) -> None:
    server.fail("claim alone", times=100)
    text = given_up(lambda: HttpStore(server.url).read("x", MOST), RejectedResponseError)
    assert "longer than the 100,000 bytes" in text
    server.faults.clear()
    with pytest.raises(RejectedResponseError, match="x: longer than the 9 bytes"):
        download_to_temporary_file(HttpStore(server.url), "x", 9)
    assert len(server.asked) == 2  # how long it is, and no more
    with download_to_temporary_file(HttpStore(server.url), "x", 10) as file:
        file.seek(0)
        assert file.read() == b"0123456789"
    assert download_to_temporary_file(HttpStore(server.url), "none", 10) is None


def test_a_part_is_not_taken_for_the_whole(server) -> None:
    server.fail("a part unasked", times=100)
    assert "the server answered 206" in given_up(lambda: HttpStore(server.url).read("x", MOST))


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("how", ["drip", "drip of chunks", "drip of a header", "drip of headers"])
def test_an_answer_that_drips_is_given_up(server, how: str) -> None:
    server.fail(how, times=100)
    text = given_up(lambda: HttpStore(server.url).read("x", MOST), RejectedResponseError)
    assert "it sends fewer than 1,024 bytes per second, which is given up after 0.15 s" in text
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    "said", ["1000000000", "9" * 5000, "Sun, 06 Nov 99999999 08:49:37 GMT", "-1", "1e9", "\x00"]
)
def test_a_busy_server_is_waited_for_no_longer_than_half_a_minute(server, monkeypatch, said: str) -> None:
    pauses: list[float] = []
    asking = threading.get_ident()

    def pause(seconds: float) -> None:
        if threading.get_ident() == asking:  # those of a server go on
            pauses.append(seconds)

    monkeypatch.setattr("turntable.datasets.stores.web.store.time.sleep", pause)
    server.retry_after = said
    server.fail("503")
    assert HttpStore(server.url).read("x", MOST) == b"0123456789"
    assert len(pauses) == 1
    assert pauses[0] <= 30


@pytest.mark.parametrize(
    "location", ["/x", "x?y", "http://[::1", "file:///etc/passwd", "\r\n\t/x", "https:///"]
)
def test_redirects_end(server, location: str) -> None:
    server.location = location.encode()
    server.fail("location", times=1000)
    text = given_up(lambda: HttpStore(server.url).read("x", MOST))
    assert re.search("too many redirects|it is not followed: give the URL at", text)
    assert len(server.asked) <= 6


def test_a_redirect_with_a_body_or_header_without_end_is_not_read(server) -> None:
    server.fail("endless redirect", times=100)
    given_up(lambda: HttpStore(server.url).read("x", MOST))
    assert server.sent_in_all() < ENOUGH * len(server.asked)
    server.location = b"/" + b"x" * 1_000_000
    server.fail("location", times=100)
    server.faults.pop(0)
    assert "got more than 65536 bytes" in given_up(lambda: HttpStore(server.url).read("x", MOST))


def test_from_https_to_http_is_not_followed(http_server, tls, server) -> None:
    secure = http_server(server.folder, tls=tls)
    assert HttpStore(secure.url, "sesame").read("x", MOST) == b"0123456789"
    secure.fail("location", times=1)
    secure.location = f"{server.url}/x?key=secret".encode()
    text = given_up(lambda: HttpStore(secure.url).read("x", MOST))
    assert f"a redirect from https to {server.url}, which is not encrypted; it is not followed" in text
    assert "secret" not in text
    assert server.asked == []
