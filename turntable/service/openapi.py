"""What the service answers, for programs: OpenAPI 3.1, written beside the routes it describes."""

from typing import Any

from turntable import __version__
from turntable.service.contents import MOST_LISTED
from turntable.service.renders import LEAST_PX, MOST_PX

_Table = dict[str, Any]


def description() -> _Table:
    """The whole document."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "turntable data service",
            "version": __version__,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
            "description": "Labelled views of 3D objects: catalogue, files with Range, queries, and renders.",
        },
        "security": [{}, {"bearer": []}],
        "paths": {
            "/healthz": {"get": _get("Whether the service runs", _json({"type": "object"}), ())},
            "/metrics": {
                "get": _get("Numbers for Prometheus", _content("text/plain", {"type": "string"}), _REFUSALS)
            },
            "/openapi.json": {"get": _get("This document", _json({"type": "object"}), ())},
            "/datasets": {
                "get": _get(
                    "Data sets on offer, and those that cannot be served, with the reason",
                    _json({"type": "array", "items": {"anyOf": [_ref("Summary"), _ref("Broken")]}}),
                )
            },
            "/datasets/{name}": {"get": _get("The manifest", _json({"type": "object"}), _FILE, _NAME)},
            "/datasets/{name}/about": {
                "get": _get("What a person wants to know of it", _json(_ref("Summary")), _ONE, _NAME)
            },
            "/datasets/{name}/factors": {
                "get": _get(
                    "Histograms of all factors",
                    _json({"type": "array", "items": {"type": "object"}}),
                    _ONE,
                    _NAME,
                )
            },
            "/datasets/{name}/objects": {
                "get": _get(
                    "Objects of a split",
                    _json({"type": "object", "required": ["total", "objects"]}),
                    _ONE,
                    _NAME,
                    (_query("split"), _query("category"), *_PAGE),
                )
            },
            "/datasets/{name}/objects/{key}": {
                "get": _get(
                    "An object with the labels of its views", _json({"type": "object"}), _ONE, (*_NAME, _KEY)
                )
            },
            "/datasets/{name}/objects/{key}/views/{view}.jpg": {
                "get": _get(
                    "One view, straight from its shard",
                    _content("image/jpeg", {"type": "string", "format": "binary"}),
                    _ONE,
                    (*_NAME, _KEY, _VIEW),
                )
            },
            "/datasets/{name}/objects/{key}/views/{view}.json": {
                "get": _get("The label of one view", _json(_ref("Label")), _ONE, (*_NAME, _KEY, _VIEW))
            },
            "/datasets/{name}/views": {
                "get": _get(
                    "Views whose labels fulfil a condition",
                    _json({"type": "object", "required": ["total", "views"]}),
                    _ONE,
                    _NAME,
                    (_query("where"), _query("split"), *_PAGE),
                )
            },
            "/datasets/{name}/pair": {
                "get": _get(
                    "The pair that a loader gives at a place of an epoch",
                    _json({"type": "object"}),
                    _ONE,
                    _NAME,
                    (_query("split"), *(_whole(name) for name in ("seed", "epoch", "index"))),
                )
            },
            "/datasets/{name}/files/{path}": {
                "get": _get(
                    "A file of the data set, or a part of it",
                    _content("application/octet-stream", {"type": "string", "format": "binary"}),
                    _FILE,
                    (*_NAME, _in_path("path")),
                )
            },
            "/datasets/{name}/subsets/{subset}/manifest.json": {
                "get": _get(
                    "The manifest of a subset",
                    _json({"type": "object"}),
                    _ONE,
                    (*_NAME, _in_path("subset")),
                )
            },
            "/query": {"post": _post("A subset, for loaders", "Query", _json({"type": "object"}), _BODY)},
            "/render": {
                "post": _post(
                    "A view of a given object at given factors",
                    "Render",
                    _content("image/jpeg", {"type": "string", "format": "binary"}),
                    (*_BODY, 422, 501, 503),
                )
            },
        },
        "components": {
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
            "schemas": _SCHEMAS,
        },
    }


def _ref(name: str) -> _Table:
    return {"$ref": f"#/components/schemas/{name}"}


def _content(kind: str, schema: _Table) -> _Table:
    return {kind: {"schema": schema}}


def _json(schema: _Table) -> _Table:
    return _content("application/json", schema)


def _in_path(name: str, **more: Any) -> _Table:
    schema = {"type": "string", "minLength": 1, **more}
    return {"name": name, "in": "path", "required": True, "schema": schema}


def _query(name: str) -> _Table:
    return {"name": name, "in": "query", "schema": {"type": "string"}}


def _whole(name: str, least: int = 0, most: int = 2**31 - 1) -> _Table:
    return {"name": name, "in": "query", "schema": {"type": "integer", "minimum": least, "maximum": most}}


_NAME = (_in_path("name"),)
_KEY = _in_path("key")
_VIEW = {
    "name": "view",
    "in": "path",
    "required": True,
    "schema": {"type": "integer", "minimum": 0, "maximum": 2**31 - 1},
}
_PAGE = (_whole("offset"), _whole("limit", 1, MOST_LISTED))
_REFUSALS = (400, 401, 403, 421, 429, 503)
_ONE = (*_REFUSALS, 304, 404)
_FILE = (*_ONE, 206, 412, 416)
_BODY = (*_REFUSALS, 404, 408, 413, 415)
_MEANINGS = {
    206: "The part that Range asks for",
    304: "It has not changed",
    400: "Something of the request cannot be right",
    401: "A token is needed, or the one sent is no good",
    403: "The token does not allow it",
    404: "It is not there",
    408: "The body came too slowly",
    412: "If-Match names another file",
    413: "The body is too long",
    415: "The body is no JSON",
    416: "The range lies beyond the file",
    421: "The Host is no name of this service",
    422: "The object's mesh cannot be used",
    429: "Too many requests; Retry-After says when to ask again",
    501: "Views of this data set are not drawn here",
    503: "Too much at once; Retry-After says when to ask again",
}


def _answers(content: _Table, statuses: tuple[int, ...]) -> _Table:
    answers: _Table = {"200": {"description": "It", "content": content}}
    for status in sorted({*statuses, *_REFUSALS}):
        answer: _Table = {"description": _MEANINGS[status]}
        if status == 206:
            answer["content"] = content
        elif status >= 400:
            answer["content"] = _json(_ref("Problem"))
        answers[str(status)] = answer
    return answers


def _get(
    summary: str,
    content: _Table,
    statuses: tuple[int, ...] = _REFUSALS,
    in_path: tuple[_Table, ...] = (),
    in_query: tuple[_Table, ...] = (),
) -> _Table:
    return {
        "summary": summary,
        "parameters": [*in_path, *in_query],
        "responses": _answers(content, statuses),
    }


def _post(summary: str, body: str, content: _Table, statuses: tuple[int, ...]) -> _Table:
    return {
        "summary": summary,
        "requestBody": {"required": True, "content": _json(_ref(body))},
        "responses": _answers(content, statuses),
    }


_NUMBERS = {"type": "object", "additionalProperties": {"type": "number"}}
_SCHEMAS: _Table = {
    "Problem": {
        "type": "object",
        "required": ["error"],
        "properties": {"error": {"type": "string"}},
    },
    "Broken": {
        "type": "object",
        "required": ["name", "problem"],
        "properties": {"name": {"type": "string"}, "problem": {"type": "string"}},
    },
    "Summary": {
        "type": "object",
        "required": ["name", "objects", "images", "views", "bytes", "categories", "factors", "fingerprint"],
        "properties": {
            "name": {"type": "string"},
            "objects": {"type": "integer"},
            "images": {"type": "integer"},
            "views": {"type": "integer"},
            "bytes": {"type": "integer"},
            "image_size_px": {"type": "integer"},
            "categories": {"type": "array", "items": {"type": "string"}},
            "factors": {"type": "array", "items": {"type": "string"}},
            "fingerprint": {"type": "string"},
        },
    },
    "Label": {
        "type": "object",
        "required": ["object", "key", "category", "split", "view", "factors", "rotation", "quaternion"],
        "properties": {
            "factors": _NUMBERS,
            "rotation": {"type": "array", "description": "3 x 3, of the object in the world"},
            "quaternion": {"type": "array", "description": "xyzw"},
            "translation": {"type": "array", "description": "In the object's frame, in diagonals"},
        },
    },
    "Query": {
        "type": "object",
        "additionalProperties": False,
        "required": ["dataset", "where"],
        "properties": {
            "dataset": {"type": "string"},
            "where": {"type": "string", "maxLength": 2000, "examples": ["floor_hue < 0.5"]},
            "splits": {"type": "array", "items": {"type": "string"}},
        },
    },
    "Render": {
        "type": "object",
        "additionalProperties": False,
        "required": ["dataset", "key"],
        "properties": {
            "dataset": {"type": "string"},
            "key": {"type": "string", "description": "Of the object"},
            "view": {"type": "integer", "minimum": 0, "description": "Whose label is changed; 0 if left out"},
            "factors": {**_NUMBERS, "description": "New values by name, in the data set's units"},
            "size": {"type": "integer", "minimum": LEAST_PX, "maximum": MOST_PX},
        },
    },
}
