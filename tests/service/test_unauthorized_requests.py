"""Requests without permission: each of these once succeeded."""

import re

import pytest
from starlette.testclient import TestClient

from tests.support.asking import bearer, client_of
from turntable.service import ServiceSettings, build_catalog, create_app


@pytest.mark.parametrize(
    "path",
    [
        "/metrics",
        "/metrics%0A",
        "/metrics%0D",
        "/metrics%00",
        "/metrics/",
        "/metrics?x",
        "/metrics%0A?",
    ],
)
def test_metrics_need_an_admin_however_their_path_is_written(sets, keys, path):
    with client_of(sets, ServiceSettings(access_file=keys[1])) as client:
        for headers in ({}, bearer(keys[0]["reader"])):
            answer = client.get(path, headers=headers)
            assert answer.status_code in (400, 401, 403, 404)
            assert "turntable_requests" not in answer.text
        assert client.get("/metrics", headers=bearer(keys[0]["root"])).status_code == 200


def test_a_path_with_control_characters_is_refused(sets):
    with client_of(sets) as client:
        for path in (
            "/healthz%0A",
            "/datasets/open%00",
            "/datasets/open/files/README.md%0A",
            "/%1b[2J",
            "/%7f",
        ):
            assert client.get(path).status_code == 400, path


def test_every_route_needs_its_permission(sets, keys):
    """No route gives anything of a data set without a token."""
    app = create_app(build_catalog([sets]), ServiceSettings(access_file=keys[1]))
    values = {"name": "secret", "key": "x", "subset": "x", "path": "README.md", "view": 0, "output": "mask"}
    values["drawing"] = "points"
    open_to_all = {"/", "/gallery", "/healthz", "/openapi.json", "/session", "/login", "/logout"}
    with TestClient(app, "http://localhost", follow_redirects=False) as client:
        for route in app.routes:
            if not hasattr(route, "endpoint"):
                continue
            path = re.sub(r":\w+", "", route.path).format(**values)
            for method in route.methods:
                body = (
                    {"json": {"dataset": "secret", "where": "true", "key": "x"}} if method == "POST" else {}
                )
                answer = client.request(method, path, **body)
                if path not in open_to_all:
                    assert answer.status_code in (400, 401), (method, path, answer.text)
        assert "open" not in client.get("/session").text


def test_a_stale_cookie_does_not_prevent_signing_in(sets, keys):
    with client_of(sets, ServiceSettings(access_file=keys[1])) as client:
        client.cookies.set("turntable_token", "tt_00000000_gone")
        assert client.get("/gallery/").status_code == 200
        assert client.get("/datasets").status_code == 401
        assert client.post("/login", json={"token": keys[0]["reader"]}).status_code == 200
        client.cookies.clear()


def test_responses_that_needed_a_token_are_private(sets, keys):
    shard = next((sets / "secret" / "train").glob("*.tar")).name
    with client_of(sets, ServiceSettings(access_file=keys[1], public_datasets=("open",))) as client:
        for name, kind, headers in (("secret", "private", bearer(keys[0]["reader"])), ("open", "public", {})):
            for path in (f"train/{shard}", "about", "manifest.json", "views", "labels.parquet"):
                answer = client.get(f"/datasets/{name}/{path}", headers=headers)
                assert answer.status_code == 200
                assert answer.headers["cache-control"].startswith(f"{kind}, "), (path, answer.headers)
                assert answer.headers["vary"] == "Authorization, Cookie"
        assert "immutable" in client.get(f"/datasets/open/train/{shard}").headers["cache-control"]
    with client_of(sets) as client:
        answer = client.get(f"/datasets/secret/train/{shard}")
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert "vary" not in answer.headers


def test_lone_surrogates_are_refused_everywhere(sets, keys):
    half = '"\\ud800"'
    with client_of(sets, ServiceSettings(access_file=keys[1])) as client:
        headers = {"Content-Type": "application/json"}
        answer = client.post("/login", content=f'{{"token": {half}}}', headers=headers)
        assert answer.status_code == 401
        root = {**headers, **bearer(keys[0]["root"])}
        for body in (
            f'{{"dataset": {half}, "where": "true"}}',
            f'{{"dataset": "open", "where": {half}}}',
            f'{{"dataset": "open", "where": "true", "splits": [{half}]}}',
            f'{{"dataset": "open", "where": "true", {half}: 1}}',
        ):
            answer = client.post("/query", content=body, headers=root)
            assert answer.status_code in (400, 404), body
            assert answer.json()["error"]
        for body in (
            f'{{"dataset": "open", "key": {half}}}',
            f'{{"dataset": "open", "key": "x", "view": {half}}}',
        ):
            assert client.post("/render", content=body, headers=root).status_code in (400, 404)


def test_a_body_needs_the_content_type_of_json(sets):
    body = b'{"dataset": "open", "where": "true"}'
    with client_of(sets) as client:
        for kind in ({}, {"Content-Type": "text/plain"}, {"Content-Type": ""}):
            assert client.post("/query", content=body, headers=kind).status_code == 415
        answer = client.post(
            "/query", content=body, headers={"Content-Type": "Application/JSON; charset=utf-8"}
        )
        assert answer.status_code == 200
