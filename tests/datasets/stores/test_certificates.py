"""Servers whose certificate an authority of the company signed."""

import ssl
import subprocess
from pathlib import Path

import pytest

from tests.support.readers import refusal
from turntable.datasets.stores.web import HttpStore

MOST = 1 << 20
VARIABLES = ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR"]


@pytest.fixture
def secure(http_server, folder, tls: ssl.SSLContext, tmp_path: Path, monkeypatch, home):
    """A server that nobody trusts but who knows ``tmp_path / "certificate.pem"``."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    return http_server(folder, tls=tls)


@pytest.mark.parametrize("variable", VARIABLES)
def test_a_variable_names_the_file_of_an_authority(secure, tmp_path, monkeypatch, variable: str) -> None:
    folder = tmp_path / "authorities"
    folder.mkdir()
    (tmp_path / "certificate.pem").rename(folder / "company.crt")  # not named by its hash
    (folder / "notes.txt").write_text("not a certificate")
    monkeypatch.setenv(variable, str(folder if variable == "SSL_CERT_DIR" else folder / "company.crt"))
    assert HttpStore(secure.url).read("x", MOST) == b"data"


def test_an_authority_of_any_variable_counts(secure, tmp_path, monkeypatch) -> None:
    """Tools set one of them for the whole machine, and users another for their company."""
    other = _make_other_authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "certificate.pem"))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(other))
    assert HttpStore(secure.url).read("x", MOST) == b"data"


def test_who_is_not_trusted_is_told_with_what_mends_it(secure, tmp_path, monkeypatch) -> None:
    text = refusal(lambda: HttpStore(secure.url).read("x", MOST))
    assert "its certificate is not trusted (self-signed certificate)" in text
    assert "set REQUESTS_CA_BUNDLE or SSL_CERT_FILE to the file with that authority's certificate" in text
    assert len(secure.asked) == 0
    other = _make_other_authority(tmp_path)
    monkeypatch.setenv("CURL_CA_BUNDLE", str(other))
    text = refusal(lambda: HttpStore(secure.url).read("x", MOST))
    assert f"checked against CURL_CA_BUNDLE={other}: " in text
    assert "add that authority's certificate there" in text


def test_a_certificate_of_another_host_is_no_matter_of_authorities(
    secure, tmp_path, monkeypatch, named_hosts
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "certificate.pem"))
    text = refusal(lambda: HttpStore(secure.url.replace("127.0.0.1", "other.example")).read("x", MOST))
    assert "Hostname mismatch" in text
    assert "check the URL" in text
    assert "authority" not in text


@pytest.mark.parametrize("variable", VARIABLES)
def test_a_variable_that_names_no_certificates_is_told_by_name(
    secure, tmp_path, monkeypatch, variable: str
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "words").write_text("not PEM")
    for name, said in (
        ("none", "No such file"),
        ("words", "not a file of cert"),
        ("empty", "no file in this"),
    ):
        monkeypatch.setenv(variable, str(tmp_path / name))
        text = refusal(lambda: HttpStore(secure.url).read("x", MOST))
        assert f"{variable}={tmp_path / name}: {said}" in text
        assert f"correct {variable}" in text


def test_plain_http_needs_no_certificates(http_server, folder, monkeypatch, tmp_path, home) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "none"))
    assert HttpStore(http_server(folder).url).read("x", MOST) == b"data"


def _make_other_authority(folder: Path) -> Path:
    path = folder / "other.pem"
    command = (
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=other"
    )
    subprocess.run(
        [*command.split(), "-keyout", folder / "other.key", "-out", path], check=True, capture_output=True
    )
    return path
