"""Tests of access over HTTP: tokens, scopes, links and limits."""

import json
import shutil
import time
from contextlib import contextmanager
from dataclasses import replace

import pytest
from starlette.testclient import TestClient

from turntable.errors import InvalidInputError
from turntable.service import (
    RenderSettings,
    ServiceSettings,
    build_catalog,
    create_app,
    make_access,
    write_access,
)


@pytest.fixture(scope="module")
def two(served_folder, tmp_path_factory):
    folder = tmp_path_factory.mktemp("two")
    for name in ("open", "secret"):
        shutil.copytree(served_folder, folder / name)
    return folder


@pytest.fixture
def keys(tmp_path):
    """Texts of tokens by name, and the file that holds them."""
    access, texts = make_access(), {}
    for name, scopes, datasets in [
        ("reader", ["read"], ["*"]),
        ("narrow", ["read"], ["open"]),
        ("artist", ["render"], ["*"]),
        ("root", ["admin"], ["*"]),
    ]:
        access, _, texts[name] = access.with_new_token(name, scopes, datasets)
    write_access(tmp_path / "access.json", access)
    return texts, tmp_path / "access.json", access


@contextmanager
def client_of(folder, **settings):
    with TestClient(
        create_app(build_catalog([folder]), ServiceSettings(**settings)), "http://localhost"
    ) as client:
        yield client


def bearer(text):
    return {"Authorization": f"Bearer {text}"}


KEYED = (
    "/datasets/secret",
    "/datasets/secret/about",
    "/datasets/secret/files/labels.parquet",
    "/datasets/secret/x",
)


def test_without_a_token_no_data_set_can_be_read(two, keys):
    with client_of(two, access_file=keys[1]) as client:
        for path in ("/datasets", *KEYED, "/datasets/none"):
            answer = client.get(path)
            assert answer.status_code == 401, path
            assert answer.headers["www-authenticate"] == "Bearer"
            assert "Authorization" in answer.json()["error"]
        assert client.get("/metrics").status_code == 401
        assert client.post("/query", json={"dataset": "secret", "where": "true"}).status_code == 401
        assert client.post("/render", json={"dataset": "secret", "key": "x"}).status_code == 401
        for path in ("/healthz", "/openapi.json", "/gallery/"):
            assert client.get(path).status_code == 200


def test_a_token_grants_only_its_data_sets_and_scopes(two, keys):
    texts, path, _ = keys
    with client_of(two, access_file=path) as client:
        narrow, reader, root = (bearer(texts[name]) for name in ("narrow", "reader", "root"))
        assert [row["name"] for row in client.get("/datasets", headers=narrow).json()] == ["open"]
        assert [row["name"] for row in client.get("/datasets", headers=reader).json()] == ["open", "secret"]
        assert client.get("/datasets/open", headers=narrow).status_code == 200
        for address in (*KEYED, "/datasets/none"):
            answer = client.get(address, headers=narrow)
            assert answer.status_code == 403
            assert "does not have the scope read" in answer.json()["error"]
        assert (
            client.post("/query", json={"dataset": "secret", "where": "true"}, headers=narrow).status_code
            == 403
        )
        assert (
            client.post("/query", json={"dataset": "open", "where": "true"}, headers=narrow).status_code
            == 200
        )
        assert client.post("/render", json={"dataset": "open", "key": "x"}, headers=reader).status_code == 403
        artist = bearer(texts["artist"])
        assert client.post("/render", json={"dataset": "open", "key": "x"}, headers=artist).status_code == 404
        assert client.get("/metrics", headers=reader).status_code == 403
        assert client.get("/metrics", headers=root).status_code == 200


@pytest.mark.parametrize("wrong", ["x", "tt_00000000_x", ""])
def test_a_wrong_token_is_refused_even_where_none_is_needed(two, keys, wrong):
    with client_of(two, access_file=keys[1], public_datasets=("*",)) as client:
        answer = client.get("/datasets", headers=bearer(wrong or keys[0]["reader"][:-1]))
        assert answer.status_code == 401
        assert "unknown, expired or revoked" in answer.json()["error"]


def test_a_revoked_token_is_refused_with_the_next_request(two, keys):
    texts, path, access = keys
    with client_of(two, access_file=path) as client:
        assert client.get("/datasets/open", headers=bearer(texts["narrow"])).status_code == 200
        narrow = next(token for token in access.tokens if token.name == "narrow")
        write_access(path, access.with_revoked(narrow.id))
        assert client.get("/datasets/open", headers=bearer(texts["narrow"])).status_code == 401
        assert client.get("/datasets/open", headers=bearer(texts["reader"])).status_code == 200


def test_an_expired_token_is_refused(two, keys):
    texts, path, access = keys
    past = [replace(token, expires=time.time() - 1) for token in access.tokens]
    write_access(path, replace(access, tokens=tuple(past)))
    with client_of(two, access_file=path) as client:
        answer = client.get("/datasets/open", headers=bearer(texts["narrow"]))
        assert answer.status_code == 401
        assert "expired" in answer.json()["error"]


def test_public_data_sets_need_no_token(two, keys):
    with client_of(two, access_file=keys[1], public_datasets=("open",)) as client:
        assert [row["name"] for row in client.get("/datasets").json()] == ["open"]
        assert client.get("/datasets/open/files/labels.parquet").status_code == 200
        assert client.get("/datasets/secret/files/labels.parquet").status_code == 401
        assert client.get("/datasets", headers=bearer("wrong")).status_code == 401
        assert client.post("/render", json={"dataset": "open", "key": "x"}).status_code == 401
    with pytest.raises(InvalidInputError, match="--access"):
        ServiceSettings(public_datasets=("open",))


def test_a_link_reads_its_data_set_and_nothing_else(two, keys):
    _, path, access = keys
    admin = next(token for token in access.tokens if token.name == "root")
    query = access.make_link_query(admin.id, "secret", 60)
    with client_of(two, access_file=path) as client:
        assert client.get(f"/datasets/secret/files/labels.parquet?{query}").status_code == 200
        assert client.get(f"/datasets/secret/manifest.json?{query}").status_code == 200
        assert client.get(f"/datasets/open/manifest.json?{query}").status_code == 401
        assert client.get(f"/metrics?{query}").status_code == 401
        assert client.post(f"/render?{query}", json={"dataset": "secret", "key": "x"}).status_code == 401
        late = query.replace("until=", "until=1")
        answer = client.get(f"/datasets/secret/manifest.json?{late}")
        assert answer.status_code == 401
        assert "link" in answer.json()["error"]
        write_access(path, access.with_revoked(admin.id))
        assert client.get(f"/datasets/secret/manifest.json?{query}").status_code == 401


def test_a_browser_stores_a_token_in_a_cookie_that_scripts_cannot_read(two, keys):
    texts, path, _ = keys
    with client_of(two, access_file=path) as client:
        assert client.post("/login", json={"token": "x"}).status_code == 401
        answer = client.post("/login", json={"token": texts["narrow"]})
        assert answer.status_code == 200
        cookie = answer.headers["set-cookie"].lower()
        assert "httponly" in cookie
        assert "samesite=strict" in cookie
        assert client.get("/datasets/open").status_code == 200
        assert client.get("/datasets/secret").status_code == 403
        client.post("/logout")
        assert client.get("/datasets/open").status_code == 401


def test_a_client_over_the_rate_gets_retry_after(two, keys):
    texts, path, _ = keys
    with client_of(two, access_file=path, max_requests_per_second=1.0) as client:
        statuses = [
            client.get("/datasets/open", headers=bearer(texts["narrow"])).status_code for _ in range(4)
        ]
        assert statuses == [200, 200, 429, 429]
        answer = client.get("/datasets/open", headers=bearer(texts["narrow"]))
        assert int(answer.headers["retry-after"]) >= 1
        assert "try again in" in answer.json()["error"]
        assert client.get("/datasets/open", headers=bearer(texts["reader"])).status_code == 200


def test_wrong_bodies_are_refused(two):
    with client_of(two, render_settings=RenderSettings()) as client:
        for body, part in [
            ({}, "missing: dataset, where"),
            ({"dataset": "open", "where": 5}, "where must be a text"),
            ({"dataset": "open", "where": "true", "more": 1}, "unknown: more"),
            ({"dataset": "open", "where": "true", "splits": [1]}, "list of texts"),
            ({"dataset": "open", "where": "true", "splits": ["none"]}, "no split 'none'"),
            ({"dataset": "open", "where": "floor_hue <"}, "where"),
            ({"dataset": "open", "where": "nothing < 1"}, "nothing"),
            ({"dataset": "open", "where": "1 = (select 1)"}, "where"),
            ({"dataset": "open", "where": "floor_hue > 2"}, "no view of train or val"),
            ({"dataset": "open", "where": "x" * 3000}, "at most 2000"),
        ]:
            answer = client.post("/query", json=body)
            assert answer.status_code == 400, body
            assert part in answer.json()["error"]
        assert client.post("/query", json={"dataset": "none", "where": "true"}).status_code == 404
        assert (
            client.post("/query", content=b"{", headers={"Content-Type": "application/json"}).status_code
            == 400
        )
        assert client.post("/query", json=[1]).status_code == 400
        assert client.post("/query", data={"a": "b"}).status_code == 415
        assert client.get("/query").status_code == 405
        deep = b'{"dataset": ' + b"[" * 30_000 + b"]" * 30_000 + b"}"
        answer = client.post("/query", content=deep, headers={"Content-Type": "application/json"})
        assert answer.status_code == 400
        assert json.loads(answer.content)["error"]
