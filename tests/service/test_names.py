"""The names under which a service answers, as owners write them and as browsers send them."""

import pytest

from turntable.errors import InvalidInputError
from turntable.service.doors import Peers

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
def test_a_name_is_allowed_however_its_owner_writes_it(allowed, host):
    assert Peers.named((), (allowed,)).answers_to(host, OWN)
    assert not Peers.named((), ()).answers_to(host, OWN)


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
def test_what_only_looks_like_a_name_of_its_own_is_none(host):
    assert not Peers.named((), ("data.example.org",)).answers_to(host, OWN)


@pytest.mark.parametrize("host", ["a" * 70, "a..b"])
def test_what_can_be_no_host_is_not_allowed_as_one(host):
    with pytest.raises(InvalidInputError, match="--allow-host"):
        Peers.named((), (host,))
