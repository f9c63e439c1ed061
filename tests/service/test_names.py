"""Host names that the service answers to, as users write them and as browsers send them."""

import pytest

from turntable.errors import InvalidInputError
from turntable.service.security import NetworkPolicy

OWN = "10.0.0.5"


@pytest.mark.parametrize(
    ("allowed", "host"),
    [
        ("bücher.example", "xn--bcher-kva.example"),
        ("Bücher.Example.", "xn--bcher-kva.example:8443"),
        ("data.example.org:8443", "data.example.org:8443"),
        ("data.example.org:8443", "DATA.example.org"),
        ("[2001:DB8:0::1]:8765", "[2001:db8::1]:8765"),
        ("2001:db8::1", "[2001:db8:0:0::1]"),
    ],
)
def test_an_allowed_name_may_be_written_in_any_form(allowed, host):
    assert NetworkPolicy.from_names((), (allowed,)).answers_to(host, OWN)
    assert not NetworkPolicy.from_names((), ()).answers_to(host, OWN)


@pytest.mark.parametrize(
    "host",
    [
        "[::1]evil.example",
        "[::1].evil.example",
        "[::1]:80@evil.example",
        "[::1",
        "[]",
        "localhost@evil.example",
        "evil@localhost",
        "localhost:80:80",
        "localhost:evil",
        "evil.localhost",
        "127.1",
        "2130706433",
        "",
        "." * 30_000,
        "a." * 15_000,
    ],
)
def test_a_similar_name_is_refused(host):
    assert not NetworkPolicy.from_names((), ("data.example.org",)).answers_to(host, OWN)


@pytest.mark.parametrize("host", ["a" * 70, "a..b"])
def test_an_impossible_host_name_is_refused(host):
    with pytest.raises(InvalidInputError, match="--allow-host"):
        NetworkPolicy.from_names((), (host,))
