"""The documented proxy with Debian's nginx: TLS, shards from disk, all else from the service."""

import re
import shutil
import ssl
import subprocess
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tests.support.nginx import NGINX, running_nginx
from tests.support.ports import free_port
from turntable.datasets import open_dataset

CONFIG = Path(__file__).resolve().parents[2] / "docs" / "nginx.conf"
pytestmark = pytest.mark.skipif(NGINX is None, reason="Debian's nginx is not installed")


@pytest.fixture
def proxied(start, served_folder, tmp_path):
    service, port = start(served_folder, options=["--trusted-proxy", "127.0.0.1"]), free_port()
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    subprocess.run(
        [
            *(
                "openssl",
                "req",
                "-x509",
                "-newkey",
                "rsa:2048",
                "-nodes",
                "-days",
                "2",
                "-subj",
                "/CN=localhost",
            ),
            *("-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate),
        ],
        check=True,
        capture_output=True,
    )
    changes = {
        r"listen 8443": f"listen 127.0.0.1:{port}",
        r"(?<=ssl_certificate     )\S+(?=;)": str(certificate),
        r"(?<=ssl_certificate_key )\S+(?=;)": str(key),
        r"(?<=root )/srv/datasets(?=;)": str(served_folder.parent),
        r"127\.0\.0\.1:8765": f"127.0.0.1:{service.port}",
    }
    text = CONFIG.read_text()
    for pattern, value in changes.items():
        text, count = re.subn(pattern, value, text)
        assert count == 1, pattern
    with running_nginx(tmp_path, port, text):
        yield f"https://127.0.0.1:{port}", ssl.create_default_context(cafile=certificate), service


def test_shards_come_from_nginx_and_the_rest_from_the_service(proxied, served_folder):
    url, context, service = proxied
    shard = open_dataset(served_folder).manifest.shards[0]
    data = (served_folder / shard.split / f"{shard.name}.tar").read_bytes()

    def get(path, headers=None):
        request = urllib.request.Request(url + path, headers=headers or {})
        with urllib.request.urlopen(request, context=context, timeout=20) as answer:
            return answer.status, answer.headers, answer.read()

    name = f"{shard.split}/{shard.name}.tar"
    for path in (name, f"files/{name}"):
        status, headers, body = get(f"/datasets/small/{path}", {"Range": "bytes=512-1023"})
        assert (status, body) == (206, data[512:1024])
        assert "immutable" in headers["Cache-Control"]
        assert "nginx" in headers["Server"]
    assert get("/datasets/small")[2] == (served_folder / "manifest.json").read_bytes()
    assert b"turntable gallery" in get("/gallery/")[2]
    with open_dataset(served_folder).open_split("train") as train:
        assert get(f"/datasets/small/objects/{train.keys[0]}/views/0.jpg")[2] == train.read_jpeg(0, 0)
    asked = urllib.request.Request(f"{url}/login", b'{"token": "x"}', {"Content-Type": "application/json"})
    with urllib.request.urlopen(asked, context=context, timeout=20) as answer:
        assert "Secure" in answer.headers["Set-Cookie"]  # the service knows that the reader came by TLS
    service.stop()
    log = service.log.read_text()
    assert ".tar" not in log  # nginx sent them
    assert "/gallery/" in log


def test_links_are_followed_where_the_service_follows_them_and_nowhere_else(proxied, served_folder, tmp_path):
    """nginx alone would follow any link in a stranger's data set."""
    url, context, _ = proxied
    (tmp_path / "private").write_text("top secret")
    folder = served_folder.parent / "stranger"
    try:
        (folder / "train").mkdir(parents=True)
        (folder / "train" / "shard-000000.tar").symlink_to(tmp_path / "private")
        (folder / "val").symlink_to(served_folder / "train")
        for path in ("train/shard-000000.tar", "files/train/shard-000000.tar", "val/shard-000000.tar"):
            with pytest.raises(urllib.error.HTTPError) as refused:
                urllib.request.urlopen(f"{url}/datasets/stranger/{path}", context=context, timeout=20)
            assert refused.value.code == 404
            assert "no data set" in refused.value.read().decode()  # the service's words
    finally:
        shutil.rmtree(folder)


def test_the_config_is_one_that_nginx_accepts(proxied):
    assert proxied[0].startswith("https://")


def test_loaders_read_from_nginx_alone(served_folder, tmp_path):
    """The same data set behind a plain web server, without the service."""
    from turntable.loaders import BatchConfig, Loader, Views

    config = BatchConfig(sampler=Views(False), batch_size=4, last_batch="short", output="numpy")
    port = free_port()
    with running_nginx(tmp_path, port, f"server {{ listen 127.0.0.1:{port}; root {served_folder.parent}; }}"):
        loaders = [
            Loader(place, config, **more)
            for place, more in (
                (served_folder, {}),
                (f"http://127.0.0.1:{port}/small", {"cache": False}),
                (f"http://127.0.0.1:{port}/small", {"cache": tmp_path / "cache"}),
            )
        ]
        for here, streamed, cached in zip(*(loader.iter_batches(0) for loader in loaders), strict=True):
            assert (here["view"] == streamed["view"]).all()
            assert (here["view"] == cached["view"]).all()
