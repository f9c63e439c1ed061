"""Names and passwords of users, in a URL or a netrc file: sent to one origin, and shown nowhere."""

import base64
import json
import logging
import os
import pickle
import traceback
from pathlib import Path

import pytest

from tests.support.readers import WORD, refusal
from turntable import cli
from turntable.datasets import open_store
from turntable.datasets.stores import hide_password, remove_secrets
from turntable.datasets.stores.web import HttpStore, parse_origin, write_token
from turntable.errors import InvalidInputError, TurntableError

MOST = 1 << 20
SECRET = "s3cr/et wörd"
IN_URL = "s3cr%2Fet%20w%C3%B6rd"
HEADER = f"Basic {base64.b64encode(f'ada:{SECRET}'.encode()).decode()}"
pytestmark = pytest.mark.usefixtures("home")


@pytest.fixture
def server(http_server, folder):
    return http_server(folder)


def with_password(url: str) -> str:
    return url.replace("://", f"://ada:{IN_URL}@")


@pytest.fixture
def netrc(tmp_path: Path, monkeypatch) -> Path:
    path = tmp_path / "netrc"
    path.write_text(f'machine 127.0.0.1 login ada password "{SECRET}"\ndefault login eve password word\n')
    monkeypatch.setenv("NETRC", str(path))
    return path


def test_a_password_of_the_url_is_sent_and_not_shown(server) -> None:
    store = open_store(with_password(f"{server.url}/"))
    assert store.read("x", MOST) == b"data"
    assert server.asked[0].token == HEADER
    assert store.url == server.url
    assert "s3cr" not in f"{store} {store!r} {store.url}"
    again = pickle.loads(pickle.dumps(store))
    assert again.read("x", MOST) == b"data"
    assert server.asked[1].token == HEADER


def test_a_redirect_to_another_origin_gets_no_password(http_server, folder, netrc) -> None:
    first, second = http_server(folder), http_server(folder)
    for url in (with_password(first.url), first.url):
        first.fail("location", times=1)
        first.location = f"{second.url}/x".encode()
        assert HttpStore(url).read("x", MOST) == b"data"
    assert [item.token for item in first.asked] == [HEADER, HEADER]
    assert [item.token for item in second.asked] == [None, None]


def test_a_netrc_file_has_the_password_of_a_host(server, netrc, named_hosts) -> None:
    assert HttpStore(server.url).read("x", MOST) == b"data"
    assert HttpStore(server.url.replace("://", "://ada@")).read("x", MOST) == b"data"
    assert HttpStore(f"http://data.example:{server.port}").read("x", MOST) == b"data"
    assert HttpStore(server.url.replace("://", "://bob@")).read("x", MOST) == b"data"
    bob = f"Basic {base64.b64encode(b'bob:').decode()}"
    # The line "default" would send a password to every host: it is not used.
    assert [item.token for item in server.asked] == [HEADER, HEADER, None, bob]


def test_the_netrc_file_of_the_home_is_read_too(server, netrc, monkeypatch, tmp_path) -> None:
    monkeypatch.delenv("NETRC")
    monkeypatch.setenv("HOME", str(tmp_path))
    netrc.rename(tmp_path / ".netrc")
    assert HttpStore(server.url).read("x", MOST) == b"data"
    assert server.asked[0].token == HEADER


def test_a_token_comes_before_a_netrc_file_and_not_with_a_password(server, netrc) -> None:
    write_token(parse_origin(server.url), "kept", os.environ)
    HttpStore(server.url).read("x", MOST)
    HttpStore(with_password(server.url)).read("x", MOST)
    HttpStore(server.url, "called").read("x", MOST)
    assert [item.token for item in server.asked] == ["Bearer kept", HEADER, "Bearer called"]
    with pytest.raises(InvalidInputError, match="has a password, and a token is given too") as caught:
        HttpStore(with_password(server.url), "called")
    assert "s3cr" not in str(caught.value)


def test_who_is_refused_is_told_of_netrc_and_which_password_was_sent(guarded, netrc, tmp_path) -> None:
    text = refusal(lambda: HttpStore(guarded.url).read("x", MOST))
    assert f"it does not accept the user and password of {netrc} for this" in text
    text = refusal(lambda: HttpStore(with_password(guarded.url)).read("x", MOST))
    assert "it does not accept the user and password of the URL for this" in text
    netrc.write_text("")
    text = refusal(lambda: HttpStore(guarded.url).read("x", MOST))
    assert f"add a line to {netrc}: machine 127.0.0.1 login USER password WORD" in text


@pytest.mark.parametrize("spoilt", [f"machine {SECRET}", f"{SECRET} machine", f"machine a login\n{SECRET}"])
def test_a_netrc_file_that_cannot_be_read_keeps_nobody_from_what_is_public(
    server, guarded, netrc, spoilt: str
) -> None:
    netrc.write_text(spoilt)
    assert HttpStore(server.url).read("x", MOST) == b"data"
    text = refusal(lambda: HttpStore(guarded.url).read("x", MOST))
    assert f"{netrc}: cannot be read as a netrc file; correct it" in text
    assert "s3cr" not in text


@pytest.mark.parametrize(
    "url",
    [
        "https://ada:s3/cr@host/set",
        "https://ada:s3@cr@host/set",
        "https://ada:s3cr@host:99999/x",
        "https://ada:s3cr@[::1/x",
        "https://ada:s3cr@host/x#y",
        "https://ada:s3cr\n@host/x",
        "http:/ada:s3cr@host/x",
        "ftp://ada:s3cr@host/x",
        "s3://ada:s3cr@bucket/x",
        "s3://ada:s3/cr@bucket/x",
        "file://ada:s3cr@host",
        "https://ada:s3#cr@host/x",
        "https://ada:s3?cr@host/x",
    ],
)
def test_a_url_that_is_refused_is_quoted_without_its_password(url: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        open_store(url)
    text = "".join(traceback.format_exception(caught.value, chain=True))
    told = text[text.rindex("InvalidInputError") :]
    assert "s3" not in told.replace("s3://", "").replace("S3", "")
    assert "cr@" not in told


def test_what_is_written_to_files_has_no_secret() -> None:
    assert remove_secrets("https://ada:word@host:1/a?sig=1") == "https://host:1/a"
    assert remove_secrets("my?set@home") == "my?set@home"
    assert remove_secrets("s3://bucket/a") == "s3://bucket/a"
    assert remove_secrets("mine://me:word@host/a?x=1") == "mine://host/a?x=1"
    assert hide_password("https://ada:wo/rd@host/a") == "https://…@host/a"


FAULTS = [
    "401",
    "403",
    "503",
    "reset",
    "cut",
    "stall",
    "html",
    "endless",
    "odd header",
    "location",
    "gzip",
    "404",
]


@pytest.mark.parametrize("how", FAULTS)
def test_no_failure_shows_a_secret(server, monkeypatch, how: str, caplog, capfd) -> None:
    """Nor does its traceback, whatever raised it, with the names of all causes."""
    monkeypatch.setattr("turntable.datasets.stores.web.store._READ_S", 0.2)
    caplog.set_level(logging.INFO)  # urllib3 logs queries when it is debugged
    server.location = b"http://169.254.169.254/"
    server.fail(how, times=1000)
    for store in (HttpStore(f"{with_password(server.url)}?sig=s3cr"), HttpStore(server.url, WORD)):
        for use in (
            lambda store=store: store.read("x", 3),
            lambda store=store: store.get_size("x"),
            lambda store=store: store.read_range("x", 0, 2),
            lambda store=store: b"".join(store.download("x").pieces),
            lambda store=store: store.write("x", b""),
            lambda store=store: store.list(),
        ):
            try:
                use()
            except TurntableError as error:
                text, cause = "".join(traceback.format_exception(error)), error
                while cause is not None:
                    text += f"{cause!r} {cause.args}"
                    cause = cause.__cause__ or cause.__context__
                assert not any(secret in text for secret in ("s3cr", WORD, HEADER, HEADER[6:]))
    shown = caplog.text + "".join(capfd.readouterr())
    assert not any(secret in shown for secret in ("s3cr", WORD, HEADER[6:]))


@pytest.mark.parametrize(
    "command",
    [
        ["verify", "URL"],
        ["inspect", "URL"],
        ["inspect", "URL", "--symmetry"],
        ["inspect", "URL", "--plot", "x.png"],
        ["copy", "URL", "copied"],
        ["copy", "none", "URL"],
        ["publish", "URL", "--hub", "hub"],
        ["convert", "export", "URL", "--out", "out"],
        ["convert", "import", "URL", "--out", "out"],
        ["render", "zoo", "--objects", "2", "--out", "URL"],
        ["train", "URL", "--method", "sie", "--preset", "demo", "--out", "run"],
        ["logout", "URL"],
    ],
    ids=" ".join,
)
def test_no_command_shows_a_password(server, tmp_path, monkeypatch, capfd, command: list[str]) -> None:
    monkeypatch.chdir(tmp_path)
    url = with_password(f"{server.url}/none")
    with pytest.raises(SystemExit) as ended:
        cli.main([url if word == "URL" else word for word in command])
    captured = capfd.readouterr()
    assert ended.value.code in (1, 2)
    assert "turntable: " in captured.err or "missing" in captured.out
    assert not any(secret in captured.out + captured.err for secret in ("s3cr", IN_URL, HEADER[6:]))


@pytest.mark.slow
def test_a_run_does_not_keep_the_password_of_its_data_set(http_server, tmp_path, monkeypatch) -> None:
    from turntable.testing.datasets import make_synthetic_dataset
    from turntable.training import make_demo_config, open_run, train

    monkeypatch.setenv("TURNTABLE_CACHE", str(tmp_path / "cache"))
    make_synthetic_dataset(tmp_path / "www" / "set", num_objects=12, num_views=4, image_size=24)
    server = http_server(tmp_path / "www")
    url = with_password(f"{server.url}/set") + "?sig=s3cr"
    config = make_demo_config(
        "simclr", url, epochs=1, batch_size=8, pairs_per_object=1, num_workers=0, device="cpu", image_size=24
    )
    train(config, tmp_path / "run")
    assert {item.token for item in server.asked} == {HEADER}
    for path in (tmp_path / "run").rglob("*"):
        assert path.is_dir() or not any(
            secret in path.read_bytes() for secret in (b"s3cr", IN_URL.encode(), HEADER[6:].encode())
        ), path
    assert json.loads((tmp_path / "run/config.json").read_text())["config"]["dataset"] == f"{server.url}/set"
    assert open_run(tmp_path / "run").config.dataset == f"{server.url}/set"
    train(config, tmp_path / "run")  # the same command again gives the password again: nothing is left to do
