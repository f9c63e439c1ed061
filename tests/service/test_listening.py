"""The addresses that the service tells, and the hosts and ports that it cannot have."""

import errno
import os
import re
import socket
import subprocess
import sys

import pytest

from tests.support.ports import free_port
from turntable.errors import InvalidInputError
from turntable.service import read_access
from turntable.service.listening import ServiceUrls, format_base_url, open_sockets
from turntable.testing.datasets import make_synthetic_dataset


@pytest.mark.parametrize(
    ("host", "root_path", "url"),
    [
        ("127.0.0.1", "", "http://127.0.0.1:80"),
        ("node17", "", "http://node17:80"),
        ("0.0.0.0", "", "http://127.0.0.1:80"),
        ("::", "", "http://[::1]:80"),
        ("::1", "/user/ada/proxy/80/", "http://[::1]:80/user/ada/proxy/80"),
        ("fe80::1%eth0", "", "http://[fe80::1%25eth0]:80"),
    ],
)
def test_the_url_of_a_host(host, root_path, url):
    assert format_base_url(host, 80, root_path) == url


def test_names_of_data_sets_are_quoted_in_urls():
    urls = ServiceUrls("http://[::1]:80/p", ("a b",))
    assert urls.gallery == "http://[::1]:80/p/gallery/"
    assert urls.make_dataset_url("a b/ü") == "http://[::1]:80/p/datasets/a%20b%2F%C3%BC"


def test_all_addresses_of_a_host_have_the_same_port():
    sockets = open_sockets("localhost", 0)
    try:
        assert len({opened.getsockname()[1] for opened in sockets}) == 1
        assert sockets[0].getsockname()[1] > 0
    finally:
        for opened in sockets:
            opened.close()


def test_a_port_in_use():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(InvalidInputError) as refused:
            open_sockets("127.0.0.1", port)
    assert f"port {port} of 127.0.0.1 is in use, perhaps by another turntable serve" in str(refused.value)
    assert "--port 0 for any free one" in str(refused.value)


@pytest.mark.parametrize(
    ("host", "port", "words"),
    [
        ("192.0.2.1", 0, "--host 192.0.2.1: this machine has no such address; give one of its own"),
        ("no-such-host.invalid", 0, "--host no-such-host.invalid: this name does not resolve"),
        ("not a host", 0, "does not resolve"),
        ("x" * 300, 0, "does not resolve"),
        ("127.0.0.1", 65536, "--port 65536: must be from 0 (any free one) to 65535"),
        ("127.0.0.1", -1, "--port -1: must be from 0"),
    ],
)
def test_a_host_or_port_that_this_machine_does_not_have(host, port, words):
    with pytest.raises(InvalidInputError, match=re.escape(words)):
        open_sockets(host, port)


def test_a_port_for_administrators_alone(monkeypatch):
    def refuse(self, address):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(socket.socket, "bind", refuse)
    with pytest.raises(
        InvalidInputError, match=r"port 80 of 127\.0\.0\.1: this user may not listen on it"
    ) as told:
        open_sockets("127.0.0.1", 80)
    assert "give a higher --port" in str(told.value)


def errors_of(service):
    """Return what a service wrote that is no line of its log in JSON."""
    return "".join(line for line in service.log.read_text().splitlines(True) if not line.startswith("{"))


def test_the_command_tells_the_gallery_and_the_line_of_a_loader(start, served_folder):
    service = start(served_folder, options=["--root-path", "/user/ada/proxy/8765"])
    base = f"http://127.0.0.1:{service.port}/user/ada/proxy/8765"
    text = errors_of(service)
    assert f"running on {base}/gallery/" in text
    assert f'    Loader("{base}/datasets/small")\n' in text
    assert "token" not in text
    assert service.json("/user/ada/proxy/8765/datasets")[0]["name"] == "small"


def test_the_command_tells_the_first_data_sets_and_how_to_give_a_token(start, tmp_path, keys):
    for number in range(7):
        make_synthetic_dataset(
            tmp_path / "many" / f"set-{number}", num_objects=2, num_categories=1, num_views=2, image_size=16
        )
    service = start(tmp_path / "many", options=["--access", str(keys[1])])
    text = errors_of(service)
    assert text.count("Loader(") == 5
    assert f"and 2 more: {service.url}/datasets lists them" in text
    assert f"turntable token create NAME --access {keys[1]}" in text
    assert read_access(keys[1]).secret not in text


def test_an_ipv6_address_is_told_in_brackets(served_folder, tmp_path):
    if not socket.has_ipv6:
        pytest.skip("there is no IPv6 here")
    port = free_port()
    try:
        socket.create_server(("::1", port), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("there is no IPv6 here")
    command = [
        sys.executable,
        "-m",
        "turntable",
        "serve",
        served_folder,
        "--host",
        "::1",
        "--port",
        str(port),
    ]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        first = process.stderr.readline()
        process.terminate()
    assert first.startswith(f"turntable is running on http://[::1]:{port}/gallery/")


def test_a_busy_port_ends_the_command_with_a_message(running, served_folder):
    command = [sys.executable, "-m", "turntable", "serve", served_folder, "--port", str(running.port)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 2
    assert f"port {running.port} of 127.0.0.1 is in use" in done.stderr
    assert "Errno" not in done.stderr


@pytest.mark.parametrize(
    ("url", "words"),
    [
        (
            "s3://bucket/lab/my-set",
            "turntable copy s3://bucket/lab/my-set my-set, then turntable serve my-set",
        ),
        ("gs://bucket", "turntable copy gs://bucket bucket"),
        ("https://ada:secret@host/datasets/my-set/", "turntable copy https://host/datasets/my-set/ my-set"),
        ("file:///data/my-set", "give the path of the folder, /data/my-set"),
    ],
)
def test_a_bucket_is_not_served_but_can_be_copied(url, words):
    done = subprocess.run(
        [sys.executable, "-m", "turntable", "serve", url], capture_output=True, text=True, check=False
    )
    assert (done.returncode, words in done.stderr, "secret" in done.stderr) == (2, True, False), done.stderr
