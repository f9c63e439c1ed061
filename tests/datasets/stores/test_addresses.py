import pytest
from hypothesis import given
from hypothesis import strategies as st
from urllib3.util import parse_url

from turntable.datasets.stores.web import parse_origin
from turntable.datasets.stores.web.addresses import WebAddress
from turntable.errors import InvalidInputError


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://host/my-set", "https://host:443"),
        ("http://HOST.Example:8765/x?y=1", "http://host.example:8765"),
        ("HTTP://host", "http://host:80"),
        ("https://host:/x", "https://host:443"),
        ("https://host.:443/", "https://host.:443"),  # not host: a resolver may tell them apart
        ("http://[::0001]:80/x", "http://[::1]:80"),
        ("http://[2001:DB8::A]/x", "http://[2001:db8::a]:80"),
        ("http://my_service:1/x", "http://my_service:1"),
        ("https://xn--mnchen-3ya.example/x", "https://xn--mnchen-3ya.example:443"),
        ("https://host/a@b:c\\d", "https://host:443"),
    ],
)
def test_an_origin_has_one_form(url: str, origin: str) -> None:
    assert str(parse_origin(url)) == origin


@pytest.mark.parametrize(
    "url",
    [
        "https://user@host/x",
        "https://user:word@host/x",
        "https://host:443@evil.example/x",
        "https://host\\@evil.example/x",
        "https://evil.example\\.host/x",
        "https://host%2eevil.example/x",
        "https://host%00.evil.example/x",
        "https://ho\nst/x",
        "https://ho\tst/x",
        "https://host\r\nX: y/x",
        "https://host /x",
        "https://münchen.example/x",
        "https://ｈost/x",  # letters of full width
        "https://host。example/x",
        "https://hoſt/x",
        "http://[fe80::1%25eth0]/x",
        "http://[fe80::1%eth0]/x",
        "http://[::1/x",
        "http://::1/x",
        "http://[v1.x]/x",
        "http://[::1]evil.example/x",
        "http://[::1].evil.example/x",
        "http://host:port/x",
        "http://host:0/x",
        "http://host:65536/x",
        "http://host:-1/x",
        "http://host:1:2/x",
        "http://host:８０/x",
        "http://host:8 0/x",
        "http:///x",
        "http://",
        "http:host/x",
        "http://.host/x",
        "http://a..b/x",
        "http://-host/x",
        "http://" + "a" * 64 + "/x",
        "http://host;x/",
        "http://host/x#y",
        "ftp://host/x",
        "file:///x",
        "//host/x",
        "",
    ],
)
def test_what_two_readers_could_understand_differently_is_no_address(url: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        parse_origin(url)
    assert "word" not in str(caught.value).replace("passwords", "")


@given(st.text(alphabet="ahtps:/@\\.%#?[]0189-_é xｈ\t", max_size=30))
def test_who_is_checked_is_who_is_asked(rest: str) -> None:
    try:
        address = WebAddress.from_url("https://" + rest)
    except InvalidInputError:
        return
    asked = parse_url(str(address))
    assert (asked.scheme, asked.host, asked.port, asked.auth) == (
        "https",
        address.origin.host,
        address.origin.port,
        None,
    )


HERE = WebAddress.from_url("https://data.example/sets/my-set/manifest.json?key=1")


@pytest.mark.parametrize(
    ("location", "there"),
    [
        ("https://cdn.example/x?sig=2#top", "https://cdn.example:443/x?sig=2"),
        ("/other", "https://data.example:443/other"),
        ("other", "https://data.example:443/sets/my-set/other"),
        ("//cdn.example:444/x", "https://cdn.example:444/x"),
        ("/\\evil.example/x", "https://data.example:443/\\evil.example/x"),
        ("/\xc3\xa0 b", "https://data.example:443/%C3%A0 b"),  # the bytes of UTF-8
        ("https:x", "https://data.example:443/sets/my-set/x"),
        ("https://10.1.2.3/x", "https://10.1.2.3:443/x"),
    ],
)
def test_redirects_are_followed_where_they_lead_to_the_web(location: str, there: str) -> None:
    assert str(HERE.resolve_redirect(location)) == there


LOCAL = [
    "localhost",
    "LOCALHOST.",
    "a.localhost",
    "localhost.localdomain",
    "localhost6",
    "ip6-localhost.",
    "[fd00:ec2::254]",
    "100.100.100.200",
    "127.0.0.1",
    "127.1",
    "127.0.0.1.",
    "0177.0.0.1",
    "0x7f000001",
    "2130706433",
    "[::1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::127.0.0.1]",
    "[64:ff9b::7f00:1]",
    "[2002:7f00:1::]",
    "169.254.169.254",
    "0xa9.254.43518",
    "[fe80::1]",
    "[::ffff:169.254.169.254]",
    "0.0.0.0",
    "0",
    "0.1.2.3",
    "[::]",
]


@pytest.mark.parametrize("host", LOCAL)
def test_redirects_from_elsewhere_to_this_machine_or_its_network_are_refused(host: str) -> None:
    with pytest.raises(InvalidInputError, match=r"a redirect from https://data\.example:443 to (this|no)"):
        HERE.resolve_redirect(f"https://{host}/x?key=secret")
    with pytest.raises(InvalidInputError, match="a redirect from"):
        HERE.resolve_redirect(f"//{host}:443/")


def test_redirects_on_this_machine_stay_on_it() -> None:
    here = WebAddress.from_url("http://localhost:8000/x")
    assert str(here.resolve_redirect("http://127.0.0.1:9000/y")) == "http://127.0.0.1:9000/y"
    with pytest.raises(InvalidInputError, match="to this network's own addresses, http://169"):
        here.resolve_redirect("http://169.254.169.254/latest/meta-data")


@pytest.mark.parametrize(
    ("location", "told"),
    [
        ("http://cdn.example/x?sig=2", "from https to http://cdn.example:80, which is not encrypted"),
        ("file:///etc/passwd", "to 'file:', no plain web address"),
        ("ftp://cdn.example/secret", "to 'ftp://cdn.example', no plain web address"),
        ("gopher://127.0.0.1:25/secret", "to 'gopher://127.0.0.1:25', no plain"),
        ("data:text/plain,secret", "to 'data:', no plain"),
        ("https://secret@cdn.example/x", "to 'https://cdn.example', no plain"),
        ("https://cdn.example:443@evil.example/secret", "to 'https://evil.example', no plain"),
        ("https://cdn.example\\@evil.example/secret", "to 'https://cdn.example', no plain"),
        ("https://cdn\xc3\xa0.example/secret", "no plain"),
        ("https://[::1/secret", r"to 'https://\[::1', no plain"),
        ("https://cdn\x00.example/secret", "with control characters"),
        ("https://cdn.example/\r\n x", "with control characters"),
        ("https://cdn.example/\x1b[31m", "with control characters"),
        ("https://" + "x" * 60_000, "no plain"),
    ],
)
def test_redirects_that_lead_off_the_web_are_refused_by_name(location: str, told: str) -> None:
    with pytest.raises(InvalidInputError, match=told) as caught:
        HERE.resolve_redirect(location)
    assert "secret" not in str(caught.value)
    assert "\x1b" not in str(caught.value)
    assert len(str(caught.value)) < 400
