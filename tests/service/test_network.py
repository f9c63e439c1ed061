"""Host names that the service answers to, and client addresses with and without proxies."""

import pytest

from tests.support.asking import client_of
from turntable.errors import InvalidInputError
from turntable.service import ServiceSettings
from turntable.service.security import NetworkPolicy
from turntable.service.security.network import get_client_key


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200),
        ("LOCALHOST:8765", 200),
        ("localhost.", 200),
        ("127.0.0.1:1", 200),
        ("127.8.9.1", 200),
        ("[::1]:8765", 200),
        ("data.example.org", 200),
        ("Data.Example.Org.:443", 200),
        ("evil.example.org", 421),
        ("localhost.evil.org", 421),
        ("127.0.0.1.evil.org", 421),
        ("10.0.0.1", 421),
        ("[::2]", 421),
        ("evil.org@localhost", 421),
        ("localhost:8765:1", 421),
        ("", 421),
        ("x" * 30_000, 421),
    ],
)
def test_the_service_answers_to_its_own_names(sets, host, status):
    with client_of(sets, ServiceSettings(allow_hosts=("data.example.org",))) as client:
        answer = client.get("/datasets", headers={"Host": host})
        assert answer.status_code == status
        assert len(answer.content) < 2000
        if status == 421:
            assert "--allow-host" in answer.json()["error"]
    with client_of(sets, ServiceSettings(allow_hosts=("*",))) as client:
        assert client.get("/datasets", headers={"Host": host}).status_code == 200


def test_redirects_do_not_repeat_the_host_and_extra_slashes_are_404(sets):
    with client_of(sets, ServiceSettings(allow_hosts=("*",))) as client:
        for path in ("/metrics/", "/datasets/", "/datasets/open/about/", "/healthz/"):
            answer = client.get(path, headers={"Host": "evil.org"})
            assert answer.status_code == 404, path
        for path in ("/", "/gallery"):
            answer = client.get(path, headers={"Host": "evil.org"})
            assert answer.headers["location"] == "./gallery/"


def test_forwarded_addresses_are_trusted_from_named_proxies_only():
    nobody, proxied = (
        NetworkPolicy.from_names((), ()),
        NetworkPolicy.from_names(("10.0.0.0/8", "127.0.0.1"), ()),
    )
    assert nobody.resolve_client_address("127.0.0.1", ["1.2.3.4"]) == "127.0.0.1"
    assert proxied.resolve_client_address("5.6.7.8", ["1.2.3.4"]) == "5.6.7.8"
    assert proxied.resolve_client_address("10.1.1.1", ["1.2.3.4"]) == "1.2.3.4"
    # What the reader wrote itself stands to the left of what a proxy has added.
    assert proxied.resolve_client_address("10.1.1.1", ["9.9.9.9, 1.2.3.4"]) == "1.2.3.4"
    assert proxied.resolve_client_address("10.1.1.1", ["9.9.9.9, 1.2.3.4, 10.2.2.2"]) == "1.2.3.4"
    assert proxied.resolve_client_address("10.1.1.1", ["9.9.9.9", "1.2.3.4"]) == "1.2.3.4"
    assert proxied.resolve_client_address("10.1.1.1", ["[2001:db8::1]:443"]) == "2001:db8::1"
    assert proxied.resolve_client_address("10.1.1.1", ["1.2.3.4:5678"]) == "1.2.3.4"
    for nonsense in ("", "unknown", "x" * 30_000, "1.2.3.4\n", "999.1.1.1", '{"a": 1}'):
        assert proxied.resolve_client_address("10.1.1.1", [nonsense]) in ("10.1.1.1", "1.2.3.4")
    assert proxied.resolve_client_address("10.1.1.1", [", ".join(["10.0.0.1"] * 10_000)]) == "10.0.0.1"
    with pytest.raises(InvalidInputError, match="--trusted-proxy nonsense: give the proxy's address"):
        NetworkPolicy.from_names(("nonsense",), ())


def test_a_client_has_a_whole_ipv6_network():
    assert get_client_key("2001:db8::1") == get_client_key("2001:db8::ffff:1") == "2001:db8::/64"
    assert get_client_key("2001:db8:0:1::1") != get_client_key("2001:db8::1")
    assert get_client_key("1.2.3.4") == "1.2.3.4"
    assert len(get_client_key("x" * 30_000)) <= 64


def test_limits_and_log_use_the_address_of_the_connection(start, served_folder):
    service = start(served_folder, options=["--rate", "1"])
    statuses = [
        service.ask(
            "/datasets", headers={"X-Forwarded-For": f"1.2.3.{number}", "X-Forwarded-Proto": "https"}
        )[0]
        for number in range(6)
    ]
    assert statuses.count(429) >= 3
    service.ask("/datasets", headers={"X-Forwarded-For": "x" * 20_000})
    service.stop()
    text = service.log.read_text()
    assert "1.2.3." not in text
    assert max(map(len, text.splitlines())) < 1000


def test_limits_and_log_use_the_address_that_a_trusted_proxy_forwards(start, served_folder):
    service = start(served_folder, options=["--rate", "1", "--trusted-proxy", "127.0.0.1"])
    for number in range(6):
        assert service.ask("/datasets", headers={"X-Forwarded-For": f"1.2.3.{number}"})[0] == 200
    service.stop()
    assert '"client": "1.2.3.5"' in service.log.read_text()
