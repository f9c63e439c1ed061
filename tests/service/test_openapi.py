"""The service agrees with /openapi.json: its routes, their parameters, and their responses."""

import json

import pytest
from starlette.responses import Response
from starlette.testclient import TestClient

from tests.support.asking import bearer, client_of
from turntable.datasets import open_dataset
from turntable.service import ServiceSettings, build_catalog, create_app
from turntable.service.routes.route import ServiceRoute

UNDESCRIBED = {
    "/": "leads to the gallery",
    "/gallery": "leads to the gallery",
    "/datasets/{name}/{path}": "a file, as loaders ask for it",
    "/datasets/{name}/subsets/{subset}/{path}": "a file, as loaders of a subset ask for it",
}
JSON = {"Content-Type": "application/json"}
NEEDED = {"/query": ("dataset", "where"), "/render": ("dataset", "key")}
MADE = {
    "maxLength": lambda size: "x" * size,
    "maxItems": lambda size: ["x"] * size,
    "maxProperties": lambda size: dict.fromkeys(map(str, range(size)), 0.5),
}
"""Values of a size that a schema bounds."""


@pytest.fixture(scope="module")
def client(served_folder):
    with TestClient(create_app(build_catalog([served_folder])), "http://localhost") as client:
        yield client


@pytest.fixture(scope="module")
def document(client):
    return client.get("/openapi.json").json()


@pytest.fixture(scope="module")
def known(served_folder):
    """The names of what is there, as addresses and bodies ask for it."""
    with open_dataset(served_folder).open_split("train") as train:
        return {
            "name": "small",
            "dataset": "small",
            "key": train.keys[0],
            "view": 0,
            "output": "mask",
            "where": "true",
        }


def resolved(document, schema):
    """Return a schema, or the one that it refers to."""
    return document["components"]["schemas"][schema["$ref"].split("/")[-1]] if "$ref" in schema else schema


def operations(document):
    """Return each path with its methods and their descriptions."""
    return [(path, method, told) for path, ways in document["paths"].items() for method, told in ways.items()]


def limits(schema):
    """Return values at and just beyond the bounds of a schema, each with True if it is allowed."""
    for key, step in (("minimum", -1), ("maximum", 1)):
        if key in schema:
            yield from ((schema[key], True), (schema[key] + step, False))
    for key, inside in (("exclusiveMinimum", 1), ("exclusiveMaximum", -1)):
        if key in schema:
            yield from ((schema[key] + inside, True), (schema[key], False))
    for key, make in MADE.items():
        if key in schema:
            yield from ((make(schema[key]), True), (make(schema[key] + 1), False))
    if schema["type"] == "object":
        yield from (({"floor_hue": value}, fits) for value, fits in limits(schema["additionalProperties"]))


def asked_in(document, told):
    """Return place, name and schema of each parameter and body field of an operation."""
    yield from ((item["in"], item["name"], item["schema"]) for item in told["parameters"])
    if "requestBody" in told:
        model = resolved(document, told["requestBody"]["content"]["application/json"]["schema"])
        yield from (("body", name, schema) for name, schema in model["properties"].items())


def ask(client, known, path, method, place, given):
    """Ask an address for what is given, and for what is known to be there where it takes more."""
    address = path.format(**{**known, "subset": "x", "path": "x", **(given if place == "path" else {})})
    if place == "path":
        return client.request(method, address)
    said = {name: known[name] for name in NEEDED.get(path, ())} | given
    if place == "body":
        return client.request(method, address, json=said)
    flat = [
        item
        for name, value in said.items()
        for item in (value.items() if isinstance(value, dict) else [(name, value)])
    ]
    return client.request(method, address, params=dict(flat))


def is_refused(answer):
    """Return True if a response says that the request is malformed."""
    return answer.status_code == 400 and " must be " in answer.json()["error"]


def test_the_document_is_openapi(document):
    pytest.importorskip("openapi_spec_validator").validate(document)
    assert document["openapi"].startswith("3.1")


def test_every_route_is_described_or_known_not_to_be(client, document):
    routes = {route.path_format for route in client.app.routes if hasattr(route, "endpoint")}
    assert routes == document["paths"].keys() | UNDESCRIBED.keys()
    assert not document["paths"].keys() & UNDESCRIBED.keys()


def test_every_method_is_described(client, document):
    for route in client.app.routes:
        if hasattr(route, "endpoint") and route.path_format not in UNDESCRIBED:
            asked_by = {method.lower() for method in route.methods} - {"head"}
            assert document["paths"][route.path_format].keys() == asked_by


def test_every_described_bound_is_enforced(client, document, known):
    tried = set()
    for path, method, told in operations(document):
        for place, name, schema in asked_in(document, told):
            for value, fits in limits(schema):
                answer = ask(client, known, path, method, place, {name: value})
                tried.add((place, name))
                if place == "path":  # what no number can be is the path of a file
                    assert fits != ("has no file" in answer.text), (path, value)
                elif fits:
                    assert not is_refused(answer), (path, name, value, answer.text)
                elif (name, value) == ("view", -1):  # the data set says which views it has
                    assert (answer.status_code, "4 views" in answer.text) == (400, True)
                else:
                    assert is_refused(answer), (path, name, value, answer.text)
                    assert name in answer.json()["error"]
    assert tried == {
        ("path", "view"),
        *(("query", name) for name in ("offset", "limit", "seed", "epoch", "index", "where")),
        *((place, name) for place in ("query", "body") for name in ("view", "size", "factors")),
        *(("body", name) for name in ("where", "splits")),
    }


def test_every_required_field_is_missed(client, document, known):
    for path, needed in {**NEEDED, "/login": ("token",)}.items():
        content = document["paths"][path]["post"]["requestBody"]["content"]
        model = resolved(document, content["application/json"]["schema"])
        assert (model["required"], model["additionalProperties"]) == (list(needed), False)
        answer = client.post(path, json={"more": 1})
        assert answer.status_code == 400
        assert f"unknown: more; missing: {', '.join(sorted(needed))}" in answer.json()["error"]


def test_responses_have_the_described_fields(client, document, known):
    compared = set()
    for path, method, told in operations(document):
        shape = told["responses"]["200"]["content"].get("application/json", {}).get("schema", {})
        schema = resolved(document, shape.get("items", shape))
        schema = resolved(document, schema["anyOf"][0]) if "anyOf" in schema else schema
        if method != "get" or "properties" not in schema or "{drawing}" in path:  # test_drawings.py has those
            continue
        answer = client.get(path.format(**{**known, "subset": "x", "path": "x"}))
        assert answer.status_code == 200, path
        found = answer.json()[0] if "items" in shape else answer.json()
        assert found.keys() == schema["properties"].keys() == set(schema["required"]), path
        compared.add(path.rpartition("/")[2])
    assert compared == {
        "healthz",
        "session",
        "datasets",
        "about",
        "factors",
        "objects",
        "{key}",
        "{view}.json",
        "views",
        "pair",
    }


BODIES = [
    ({"view": True}, "view must be a whole number from 0, not True"),
    ({"view": "1"}, "view must be a whole number from 0, not '1'"),
    ({"view": 1.5}, "view must be a whole number"),
    ({"size": 5000}, "size must be a whole number from 16 to 512, not 5000"),
    ({"size": False}, "size must be a whole number from 16 to 512, not False"),
    ({"size": [64]}, "size must be a whole number from 16 to 512"),
    ({"factors": []}, "factors must be an object"),
    (
        {"factors": {"floor_hue": "red"}},
        "factors: floor_hue must be a number above -1e+09 and below 1e+09, not 'red'",
    ),
    ({"factors": {"floor_hue": True}}, "floor_hue must be a number"),
    ({"factors": {"floor_hue": None}}, "floor_hue must be a number"),
    ({"factors": {"floor_hue": float("nan")}}, "floor_hue must be a number"),
    ({"factors": {"floor_hue": float("inf")}}, "floor_hue must be a number"),
    ({"factors": {"floor_hue": 10**400}}, "floor_hue must be a number"),
    ({"factors": {"\ud800": "x"}}, "must be a number"),
    ({"key": None}, "key must be a text"),
    ({"key": 5}, "key must be a text, not 5"),
    ({"more": None}, "unknown: more"),
    ({"\ud800": 1}, "unknown: "),
]


@pytest.mark.parametrize(("wrong", "words"), BODIES)
def test_a_wrong_field_of_a_body_is_named(client, known, wrong, words):
    body = {"dataset": "small", "key": known["key"], **wrong}
    answer = client.post("/render", content=json.dumps(body), headers=JSON)
    assert answer.status_code == 400, answer.text
    assert words in answer.json()["error"]


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("view=-1", "4 views"),
        ("view=x", "view must be a whole number from 0, not 'x'"),
        ("size=5000", "size must be a whole number from 16 to 512, not 5000"),
        ("size=", "size must be a whole number"),
        ("floor_hue=red", "factors: floor_hue must be a number above -1e+09 and below 1e+09, not 'red'"),
        ("floor_hue=nan", "factors: floor_hue must be a number"),
        ("floor_hue=1e999", "factors: floor_hue must be a number"),
        ("factors=1", "'factors' is not a factor"),
        ("nothing=1", "'nothing' is not a factor"),
    ],
)
def test_a_wrong_parameter_of_a_query_is_named(client, known, query, words):
    answer = client.get(f"/render?dataset=small&key={known['key']}&{query}")
    assert answer.status_code == 400, answer.text
    assert words in answer.json()["error"]


def test_an_optional_field_may_be_null(client, known):
    body = {"dataset": "small", "key": known["key"], "view": None, "factors": None, "size": None}
    assert client.post("/render", json=body).status_code == 501  # as without: nothing is drawn here
    answer = client.post("/query", json={"dataset": "small", "where": "true", "splits": None})
    assert answer.status_code == 200


def test_empty_and_unknown_parameters_of_a_query_are_ignored(client):
    whole = client.get("/datasets/small/views").json()
    assert client.get("/datasets/small/views?where=&split=&token=x").json() == whole
    objects = client.get("/datasets/small/objects").json()
    assert client.get("/datasets/small/objects?category=&split=").json() == objects


def test_without_permission_wrong_parameters_are_not_named(sets, keys):
    texts, path = keys
    body = {"dataset": "secret", "where": 5, "more": 1}
    with client_of(sets, ServiceSettings(access_file=path)) as client:
        for headers, status in (({}, 401), (bearer("wrong"), 401), (bearer(texts["reader"]), 400)):
            assert client.post("/query", json=body, headers=headers).status_code == status
            answer = client.get("/datasets/secret/views?limit=x", headers=headers)
            assert answer.status_code == status
        drawn = {"dataset": "secret", "size": 5000}
        assert client.post("/render", json=drawn, headers=bearer(texts["reader"])).status_code == 403
        assert client.get("/render", params=drawn, headers=bearer(texts["reader"])).status_code == 403
        assert client.post("/render", json=drawn, headers=bearer(texts["root"])).status_code == 400
        for headers in ({}, bearer(texts["reader"])):  # of no data set, so nothing is told of one
            assert client.post("/query", json={"where": "true"}, headers=headers).status_code == 400


def test_a_route_that_needs_a_data_set_must_name_one():
    async def answer(request) -> Response:
        return Response()

    for need in ("read", "render"):
        with pytest.raises(ValueError, match="no parameter names the data set"):
            ServiceRoute("/everything", need, answer)
    assert ServiceRoute("/datasets/{name}/more", "read", answer).permission == "read"


def test_a_token_that_no_cookie_can_hold_is_refused(client):
    for text in ("\N{SNOWMAN}", "\u0100"):
        answer = client.post("/login", json={"token": text})
        assert (answer.status_code, "set-cookie" in answer.headers) == (401, False)
