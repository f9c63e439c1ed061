"""Sessions: the data sets that an anonymous visitor sees, and the state that a page learns."""

import pytest

from tests.support.asking import bearer, client_of
from turntable.service import ServiceSettings, make_access, write_access


@pytest.fixture
def ada(tmp_path):
    access, token, text = make_access().with_new_token("ada", ["read", "render"], ["open"], days=2)
    write_access(tmp_path / "access.json", access)
    return token, text, tmp_path / "access.json"


def test_without_tokens_none_is_needed(sets):
    with client_of(sets) as client:
        answer = client.get("/session")
        assert answer.headers["cache-control"] == "no-store"
        assert answer.json() == {"needs_token": False, "token": None, "token_error": "", "public_datasets": 2}


@pytest.mark.parametrize(("public", "names"), [(("open",), ["open"]), (("*",), ["open", "secret"])])
def test_an_anonymous_visitor_sees_the_public_data_sets(sets, ada, public, names):
    with client_of(sets, ServiceSettings(access_file=ada[2], public_datasets=public)) as client:
        listed = client.get("/datasets")
        assert (listed.status_code, [row["name"] for row in listed.json()]) == (200, names)
        session = client.get("/session").json()
        assert (session["needs_token"], session["token"]) == (True, None)
        assert session["public_datasets"] == len(names)


@pytest.mark.parametrize("public", [(), ("gone",)])
def test_an_anonymous_visitor_is_asked_for_a_token_where_none_is_public(sets, ada, public):
    with client_of(sets, ServiceSettings(access_file=ada[2], public_datasets=public)) as client:
        answer = client.get("/datasets")
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
        assert "Authorization: Bearer TOKEN" in answer.json()["error"]
        assert client.get("/session").json()["public_datasets"] == 0


def test_a_token_that_may_read_nothing_is_not_anonymous(sets, ada, tmp_path):
    access, _, text = make_access().with_new_token("eve", ["read"], ["elsewhere"])
    write_access(tmp_path / "other.json", access)
    with client_of(sets, ServiceSettings(access_file=tmp_path / "other.json")) as client:
        answer = client.get("/datasets", headers=bearer(text))
        assert (answer.status_code, answer.json()) == (200, [])


def test_a_session_tells_name_scopes_data_sets_and_end_of_its_token(sets, ada):
    token, text, path = ada
    with client_of(sets, ServiceSettings(access_file=path)) as client:
        shown = client.get("/session", headers=bearer(text))
        assert shown.json() == {
            "needs_token": True,
            "token": {
                "name": "ada",
                "scopes": ["read", "render"],
                "datasets": ["open"],
                "expires": token.expires,
            },
            "token_error": "",
            "public_datasets": 0,
        }
        assert text not in shown.text
        assert token.sha256 not in shown.text
        wrong = client.get("/session", headers=bearer("x")).json()
        assert (wrong["token"], "unknown, expired or revoked" in wrong["token_error"]) == (None, True)
