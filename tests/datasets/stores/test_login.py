"""The commands login and logout: tokens stored for a server."""

import io
import os
import pty
import select
import subprocess
import sys

import pytest

from tests.support.readers import WORD, refusal
from turntable.cli import main
from turntable.datasets.stores.web import HttpStore, parse_origin
from turntable.datasets.stores.web.tokens import find_token

MOST = 1 << 20
pytestmark = pytest.mark.usefixtures("home")


def command(capsys, monkeypatch, typed: str, *words: str) -> tuple[int, str]:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(typed.encode())))
    with pytest.raises(SystemExit) as ended:
        main(words)
    said = capsys.readouterr()
    assert WORD not in said.out + said.err
    return ended.value.code, said.out + said.err


def test_login_keeps_what_the_server_takes_and_logout_forgets_it(guarded, capsys, monkeypatch, home) -> None:
    status, text = command(capsys, monkeypatch, f"{WORD}\n", "login", f"{guarded.url}/datasets/my-set")
    assert (status, f"for {guarded.url} is stored in {home}/turntable/tokens.json" in text) == (0, True)
    assert len(guarded.asked) == 1
    assert HttpStore(f"{guarded.url}").read("x", MOST) == b"data"
    assert command(capsys, monkeypatch, "", "logout", guarded.url)[0] == 0
    assert "refuses (401)" in refusal(lambda: HttpStore(guarded.url).read("x", MOST))
    status, text = command(capsys, monkeypatch, "", "logout", guarded.url)
    assert (status, "no token is kept for" in text) == (2, True)


def test_login_keeps_nothing_that_is_refused(guarded, http_server, folder, capsys, monkeypatch, home) -> None:
    status, text = command(capsys, monkeypatch, "wrong", "login", guarded.url)
    assert (status, "the server refuses this token (401); nothing was stored" in text) == (2, True)
    status, text = command(capsys, monkeypatch, WORD, "login", "http://127.0.0.1:9/set")
    assert (status, "nothing was stored (--no-check stores" in text) == (2, True)
    first = http_server(folder)
    first.fail("location")
    first.location = f"{guarded.url}/manifest.json".encode()
    status, text = command(capsys, monkeypatch, WORD, "login", first.url)
    assert (status, f"redirects to {guarded.url}, which does not get this token" in text) == (2, True)
    for typed in ("", "  \n", f"{WORD}\n{WORD}", f"{WORD}é"):
        assert command(capsys, monkeypatch, typed, "login", guarded.url)[0] == 2
    assert not home.exists()
    assert command(capsys, monkeypatch, WORD, "login", "http://127.0.0.1:9/set", "--no-check")[0] == 0
    assert find_token(parse_origin("http://127.0.0.1:9"), None, os.environ).text == WORD


def test_login_takes_a_mark_of_byte_order_and_the_address_of_a_page(
    guarded, capsys, monkeypatch, home
) -> None:
    typed, page = f"\ufeff{WORD}\r\n", f"{guarded.url}/gallery/#/d/my-set"
    assert command(capsys, monkeypatch, typed, "login", page)[0] == 0
    assert guarded.asked[0].path == "/datasets/my-set/manifest.json"
    assert HttpStore(guarded.url).read("x", MOST) == b"data"
    assert command(capsys, monkeypatch, "", "logout", page)[0] == 0


def test_login_warns_where_a_token_travels_readable(guarded, capsys, monkeypatch, named_hosts) -> None:
    place = f"http://data.example:{guarded.port}"
    status, text = command(capsys, monkeypatch, WORD, "login", place)
    assert (status, "is not encrypted: anyone on the way" in text) == (0, True)
    assert HttpStore(place).read("x", MOST) == b"data"
    assert "not encrypted" not in command(capsys, monkeypatch, WORD, "login", guarded.url)[1]
    status, text = command(capsys, monkeypatch, WORD, "login", "https://host\\@evil.example/", "--no-check")
    assert status == 2


def test_login_asks_a_terminal_without_echo(guarded, home) -> None:
    """A token typed in a terminal must not appear in it."""
    terminal, end = pty.openpty()
    child = subprocess.Popen(
        [sys.executable, "-m", "turntable", "login", guarded.url],
        stdin=end,
        stdout=end,
        stderr=end,
        start_new_session=True,
    )
    os.close(end)
    shown = b""
    while b"Token for" not in shown:
        assert select.select([terminal], [], [], 60)[0]
        shown += os.read(terminal, 1000)
    os.write(terminal, f"{WORD}\n".encode())
    assert child.wait(60) == 0
    while select.select([terminal], [], [], 0)[0]:
        try:
            shown += os.read(terminal, 1000)
        except OSError:  # its other end is closed
            break
    os.close(terminal)
    assert WORD.encode() not in shown
    assert find_token(parse_origin(guarded.url), None, os.environ).text == WORD


def test_login_follows_to_where_files_lie_but_not_to_another_scheme(
    guarded, http_server, folder, tls, capsys, monkeypatch
) -> None:
    files, secure = http_server(folder), http_server(folder, tls=tls)
    guarded.fail("location", times=2)
    guarded.location = f"http://localhost:{files.port}/x".encode()
    assert command(capsys, monkeypatch, WORD, "login", guarded.url)[0] == 0
    guarded.location = f"{secure.url}/x".encode()
    status, text = command(capsys, monkeypatch, WORD, "login", guarded.url)
    assert (status, f"redirects to {secure.url}, which does not get this token" in text) == (2, True)
    assert {item.token for item in [*files.asked, *secure.asked]} == {None}
