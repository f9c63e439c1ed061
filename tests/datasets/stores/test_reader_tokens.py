"""The tokens that readers of URLs send, and the servers that receive them."""

import json
import logging
import os
import pickle
import stat
import subprocess
import sys
import traceback
from pathlib import Path

import pytest

from tests.support.readers import WORD, refusal
from turntable.datasets import open_store
from turntable.datasets.stores.web import HttpStore, delete_token, parse_origin, parse_token, write_token
from turntable.datasets.stores.web.tokens import find_token
from turntable.errors import InvalidInputError, StoreError, TurntableError

MOST = 1 << 20
pytestmark = pytest.mark.usefixtures("home")


def test_a_token_without_its_host_is_not_sent_and_the_message_says_what_to_set(guarded, monkeypatch) -> None:
    monkeypatch.setenv("TURNTABLE_TOKEN", WORD)
    text = refusal(lambda: HttpStore(guarded.url + "/a?key=1").read("x", MOST))
    assert "TURNTABLE_TOKEN was not sent" in text
    assert f"set TURNTABLE_TOKEN_HOST=http://127.0.0.1:{guarded.port} if it is this server's" in text
    assert f"turntable login {guarded.url}/a" in text
    assert [item.token for item in guarded.asked] == [None]
    said = text.split("set ")[1].split(" if")[0].partition("=")[2]
    monkeypatch.setenv("TURNTABLE_TOKEN_HOST", said)
    assert HttpStore(guarded.url).read("x", MOST) == b"data"


def test_a_token_goes_to_exactly_the_origin_that_is_named(guarded, monkeypatch, named_hosts) -> None:
    monkeypatch.setenv("TURNTABLE_TOKEN", WORD)
    port = guarded.port
    for named in (
        f"https://127.0.0.1:{port}",
        f"http://127.0.0.1:{port + 1}",
        "http://127.0.0.1",
        f"http://localhost:{port}",
        f"http://data.example:{port}",
        f"http://127.0.0.1.:{port}",
        f"http://127.1:{port}",
    ):
        monkeypatch.setenv("TURNTABLE_TOKEN_HOST", named)
        assert "TURNTABLE_TOKEN_HOST names another origin" in refusal(
            lambda: HttpStore(guarded.url).read("x", MOST)
        )
    assert {item.token for item in guarded.asked} == {None}
    for named, url in (
        (f" HTTP://127.0.0.1:{port}/ \n", guarded.url),
        (f"http://DATA.example:{port}", f"http://data.EXAMPLE:{port}"),
    ):
        monkeypatch.setenv("TURNTABLE_TOKEN_HOST", named)
        assert HttpStore(url).read("x", MOST) == b"data"
    assert guarded.asked[-1].token == f"Bearer {WORD}"


@pytest.mark.parametrize(
    "named",
    [
        "host:8765",
        "https://host/datasets",
        "https://host?x=1",
        "https://host?",
        f"https://{WORD}@host",
        f"https://me:{WORD}@host",
        "https://host\\@other",
        "ftp://host",
        "https://host:99999",
        "*",
        "https://*.example",
    ],
)
def test_a_host_that_is_more_than_one_is_refused_by_name(guarded, monkeypatch, named: str) -> None:
    monkeypatch.setenv("TURNTABLE_TOKEN", WORD)
    monkeypatch.setenv("TURNTABLE_TOKEN_HOST", named)
    with pytest.raises(InvalidInputError, match="TURNTABLE_TOKEN_HOST: give scheme://host:port") as caught:
        HttpStore(guarded.url).read("x", MOST)
    assert WORD not in str(caught.value)
    assert guarded.asked == []


def test_without_a_token_the_message_names_both_ways(guarded) -> None:
    text = refusal(lambda: HttpStore(guarded.url).read("x", MOST))
    assert (
        f"run turntable login {guarded.url}, or set TURNTABLE_TOKEN and TURNTABLE_TOKEN_HOST={guarded.url}"
        in text
    )


def test_plain_http_beyond_this_machine_opens_without_a_token(http_server, folder, named_hosts) -> None:
    server = http_server(folder)
    store = open_store(f"http://data.example:{server.port}")
    assert store.read("x", MOST) == b"data"
    assert store.get_size("x") == 4
    named = open_store(f"http://data.example:{server.port}", WORD)  # named so in the call itself
    assert named.read("x", MOST) == b"data"
    assert [item.token for item in server.asked] == [None, None, f"Bearer {WORD}"]


def test_call_environment_and_file_in_this_order(guarded, monkeypatch) -> None:
    origin = parse_origin(guarded.url)
    write_token(origin, "of-the-file", os.environ)
    assert find_token(origin, None, os.environ).text == "of-the-file"
    monkeypatch.setenv("TURNTABLE_TOKEN", "of-the-environment")
    assert find_token(origin, None, os.environ).text == "of-the-file"
    monkeypatch.setenv("TURNTABLE_TOKEN_HOST", guarded.url)
    assert find_token(origin, None, os.environ).text == "of-the-environment"
    assert find_token(origin, "of-the-call", os.environ).text == "of-the-call"
    assert find_token(parse_origin("https://other"), None, os.environ) is None


def test_redirects_never_carry_a_token_to_another_origin(http_server, folder, tls, named_hosts) -> None:
    first, second = http_server(folder), http_server(folder)
    secure = http_server(folder, tls=tls)
    first.fail("location", times=100)
    for place in (
        second.url,
        second.url.replace("127.0.0.1", "localhost"),
        f"http://data.example:{first.port}",  # the same server by another name
        secure.url,
    ):
        first.location = f"{place}/x".encode()
        first.faults[0].times = 1
        assert HttpStore(first.url, WORD).read("x", MOST) == b"data"
    asked = [*first.asked, *second.asked, *secure.asked]
    assert len(asked) == 8
    assert [item.token for item in asked if item.token] == [f"Bearer {WORD}"] * 4  # the first requests
    assert {item.cookie for item in asked} == {None}
    assert {item.token for item in [*second.asked, *secure.asked]} == {None}


def test_a_token_that_was_left_behind_is_not_taken_up_again(http_server, folder) -> None:
    first, second = http_server(folder), http_server(folder)
    first.fail("location", times=1)
    second.fail("location", times=1)
    first.location, second.location = f"{second.url}/x".encode(), f"{first.url}/x".encode()
    assert HttpStore(first.url, WORD).read("x", MOST) == b"data"
    assert [item.token for item in first.asked] == [f"Bearer {WORD}", None]
    assert {item.cookie for item in [*first.asked, *second.asked]} == {None}


def test_on_one_origin_a_redirect_keeps_the_token(guarded) -> None:
    guarded.fail("location", times=2)
    guarded.location = b"/x"
    assert HttpStore(guarded.url, WORD).read("y", MOST) == b"data"
    assert {item.token for item in guarded.asked} == {f"Bearer {WORD}"}


def test_who_is_sent_on_and_refused_is_told_so(http_server, folder, guarded) -> None:
    first = http_server(folder)
    first.fail("location", times=1)
    first.location = f"{guarded.url}/x".encode()
    text = refusal(lambda: HttpStore(first.url, WORD).read("x", MOST))
    assert f"it was {guarded.url} that refused" in text
    assert "give a URL there" in text


def test_a_token_is_stripped_of_what_editors_and_shells_leave(guarded, monkeypatch) -> None:
    for given in (f"{WORD}\n", f"\r\n {WORD}\t", f"{WORD}\r\n\r\n"):
        assert HttpStore(guarded.url, given).read("x", MOST) == b"data"
    monkeypatch.setenv("TURNTABLE_TOKEN", f"{WORD}\r\n")
    monkeypatch.setenv("TURNTABLE_TOKEN_HOST", guarded.url)
    assert HttpStore(guarded.url).read("x", MOST) == b"data"


BAD = [
    f"{WORD}\r\nX-Evil: 1",
    f"{WORD}\0",
    f"a\n{WORD}",
    f"{WORD}é",
    f"a {WORD}",
    f"{WORD}\x7f",
    f"{WORD}\u2028{WORD}",
    " ",
]


@pytest.mark.parametrize("token", [*BAD, WORD * 1000])
def test_what_is_no_token_is_refused_and_not_repeated(guarded, monkeypatch, home, token: str) -> None:
    def by_environment() -> None:
        monkeypatch.setenv("TURNTABLE_TOKEN", token)
        monkeypatch.setenv("TURNTABLE_TOKEN_HOST", guarded.url)
        HttpStore(guarded.url).read("x", MOST)

    uses = [
        lambda: HttpStore(guarded.url, token),
        lambda: write_token(parse_origin(guarded.url), token, os.environ),
    ]
    for use in [*uses, *([by_environment] if "\0" not in token else [])]:
        with pytest.raises(InvalidInputError, match=r"TURNTABLE_TOKEN: |the token") as caught:
            use()
        assert WORD not in "".join(traceback.format_exception(caught.value))
    assert guarded.asked == []


def told(error: BaseException) -> str:
    """Return all that a traceback, a log or a debugger may show of an error and of its causes."""
    text, seen = "", error
    while seen is not None:
        text += f"{seen} {seen!r} {seen.args}"
        seen = seen.__cause__ or seen.__context__
    return text + "".join(traceback.format_exception(error))


def told_by(use) -> str:
    """Return the same for the error that a call raises, or "" if it raises none."""
    try:
        use()
    except TurntableError as error:
        return told(error)
    return ""


@pytest.mark.parametrize(
    "how", ["401", "503", "reset", "cut", "stall", "html", "endless", "long header", "odd header", "location"]
)
def test_no_error_or_log_has_a_token_or_a_signature(guarded, monkeypatch, caplog, how: str) -> None:
    monkeypatch.setattr("turntable.datasets.stores.web.store._READ_S", 0.2)
    caplog.set_level(logging.INFO)
    store = HttpStore(f"{guarded.url}/?key=s1gn3d", WORD)
    guarded.location = b"http://169.254.169.254/"
    guarded.fail(how, times=100)
    for use in (
        lambda: store.read("x", 3),
        lambda: store.read_range("x", 0, 2),
        lambda: b"".join(store.download("x").pieces),
    ):
        text = told_by(use)
        assert WORD not in text
        assert "s1gn3d" not in text
    assert WORD not in caplog.text + repr(store) + str(vars(store).get("url"))
    assert "s1gn3d" not in caplog.text + repr(store)


def test_a_pickled_store_has_the_calls_token_and_nothing_of_the_environment(guarded, monkeypatch) -> None:
    assert pickle.loads(pickle.dumps(HttpStore(guarded.url, WORD))).read("x", MOST) == b"data"
    monkeypatch.setenv("TURNTABLE_TOKEN", WORD)
    monkeypatch.setenv("TURNTABLE_TOKEN_HOST", guarded.url)
    store = HttpStore(guarded.url)
    assert store.read("x", MOST) == b"data"
    assert WORD.encode() not in pickle.dumps(store)


# The file of tokens.


def test_kept_tokens_are_their_owners_alone(home: Path) -> None:
    origin, other = parse_origin("https://host"), parse_origin("http://host:80")
    umask = os.umask(0)
    try:
        path = write_token(origin, WORD, os.environ)
        write_token(other, "another", os.environ)
    finally:
        os.umask(umask)
    assert path == home / "turntable/tokens.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [item.name for item in path.parent.iterdir()] == ["tokens.json"]
    assert json.loads(path.read_text())["tokens"] == {"https://host:443": WORD, "http://host:80": "another"}
    found = find_token(origin, None, os.environ)
    assert found.text == WORD
    assert WORD not in repr(found)
    delete_token(origin, os.environ)
    assert find_token(origin, None, os.environ) is None
    assert find_token(other, None, os.environ).text == "another"
    with pytest.raises(
        InvalidInputError, match="no token is kept for https://host:443; there are tokens for http"
    ):
        delete_token(origin, os.environ)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o666, 0o620])
def test_a_file_that_others_may_use_is_refused_with_what_mends_it(guarded, home, mode: int) -> None:
    path = write_token(parse_origin(guarded.url), WORD, os.environ)
    path.chmod(mode)
    for use in (
        lambda: HttpStore(guarded.url).read("x", MOST),
        lambda: write_token(parse_origin("https://other"), "x", os.environ),
        lambda: delete_token(parse_origin(guarded.url), os.environ),
    ):
        assert f"{path}: others than you may use the tokens in it; run: chmod 600 {path}" in refusal(use)
    path.chmod(0o600)
    assert HttpStore(guarded.url).read("x", MOST) == b"data"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to another user")
def test_another_users_file_is_refused(guarded) -> None:
    path = write_token(parse_origin(guarded.url), WORD, os.environ)
    os.chown(path, 12345, -1)
    assert "belongs to another user" in refusal(lambda: HttpStore(guarded.url).read("x", MOST))


def test_what_is_no_file_of_tokens_is_told_without_quoting_it(guarded, home) -> None:
    path = write_token(parse_origin(guarded.url), WORD, os.environ)
    for spoilt in (
        WORD,
        f'{{"{WORD}',
        f'{{"tokens": {{"a": "{WORD}"}}}}',
        "[" * 100_000,
        f'["{WORD}"]',
        "\0",
        "",
    ):
        path.write_text(spoilt)
        with pytest.raises(TurntableError, match="not a file of tokens; remove it") as caught:
            HttpStore(guarded.url).read("x", MOST)
        assert WORD not in told(caught.value)
    path.unlink()
    os.mkfifo(path, 0o600)  # opening it for reading would wait for ever
    assert "not a plain file" in refusal(lambda: HttpStore(guarded.url).read("x", MOST))


def test_a_home_that_cannot_be_found(guarded, monkeypatch, tmp_path) -> None:
    monkeypatch.setattr("pwd.getpwuid", lambda _: {}[0])
    for environ in ({}, {"HOME": ""}, {"HOME": "relative"}, {"XDG_CONFIG_HOME": "relative"}):
        assert find_token(parse_origin(guarded.url), None, environ) is None
        with pytest.raises(InvalidInputError, match="set XDG_CONFIG_HOME to a folder of yours"):
            write_token(parse_origin(guarded.url), WORD, environ)
    environ = {"HOME": str(tmp_path)}
    assert write_token(parse_origin(guarded.url), WORD, environ) == tmp_path / ".config/turntable/tokens.json"
    with pytest.raises(StoreError, match="set XDG_CONFIG_HOME to another folder"):
        write_token(parse_origin(guarded.url), WORD, {"HOME": "/proc/nowhere"})


def test_a_kept_token_that_cannot_be_one_is_refused(guarded, home) -> None:
    path = write_token(parse_origin(guarded.url), WORD, os.environ)
    path.write_text(path.read_text().replace(WORD, f"{WORD}\\r\\nX: y"))
    with pytest.raises(InvalidInputError, match=r"tokens\.json: has characters that no token has") as caught:
        HttpStore(guarded.url).read("x", MOST)
    assert WORD not in told(caught.value)


def test_checked_tokens_are_as_given() -> None:
    assert parse_token(" tt_1a2b3c4d_AZaz09-_.~+/= ", "x") == "tt_1a2b3c4d_AZaz09-_.~+/="


def test_a_worker_of_its_own_process_finds_a_kept_token(guarded) -> None:
    write_token(parse_origin(guarded.url), WORD, os.environ)
    code = "import pickle,sys; sys.stdout.buffer.write(pickle.load(sys.stdin.buffer).read('x', 99))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        input=pickle.dumps(HttpStore(guarded.url)),
        stdout=subprocess.PIPE,
        check=True,
    )
    assert done.stdout == b"data"
