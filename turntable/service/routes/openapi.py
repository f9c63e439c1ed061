"""What can be asked of the service, for programs: OpenAPI 3.1, made from the routes that answer."""

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import JsonSchemaMode
from starlette.convertors import Convertor
from starlette.routing import BaseRoute

from turntable import __version__
from turntable.service.documents import Refusal
from turntable.service.doors import COOKIE, Need, PlainSchema, schema_of
from turntable.service.routes.route import Count, ServiceRoute

_Table = dict[str, Any]
_WHY = {
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
    500: "The data set is damaged",
    501: "Views of this data set are not drawn here",
    503: "Too much at once; Retry-After says when to ask again",
}
_ANYWHERE = (400, 421, 429, 503)
_OF_A_BODY = (408, 413, 415)
_OF_A_DATASET = (401, 403, 404, 500)
_REFUSED: Mapping[Need, tuple[int, ...]] = {
    "nothing": (),
    "own": (401,),
    "admin": (401, 403),
    "read": _OF_A_DATASET,
    "render": _OF_A_DATASET,
}


def description(routes: Iterable[BaseRoute]) -> _Table:
    """Return the whole document: each route that says what it replies, by each of its methods but HEAD."""
    described = [route for route in routes if isinstance(route, ServiceRoute) and route.reply is not None]
    schemas, components = _schemas(described)
    paths = {
        route.path_format: {method.lower(): _operation(route, method, schemas) for method in route.ways}
        for route in described
    }
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "turntable data service",
            "version": __version__,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
            "description": "Labelled views of 3D objects: catalogue, files with Range, queries, and renders.",
        },
        # None, too: without a file of tokens everything is open, and data sets may be open with one.
        "security": [{}, {"bearer": []}, {"cookie": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "cookie": {"type": "apiKey", "in": "cookie", "name": COOKIE},
            },
            "schemas": components,
        },
    }


def _schemas(routes: Iterable[ServiceRoute]) -> tuple[Mapping[Any, _Table], _Table]:
    """Return the schemas of all answers and bodies by their types, and of what they refer to by its name."""
    told = {Refusal, *(route.reply.shape for route in routes if route.reply is not None)}
    asked = {route.asked for route in routes if route.asked is not None and "POST" in route.ways}
    modes: Mapping[JsonSchemaMode, set[Any]] = {"serialization": told, "validation": asked}
    found, definitions = TypeAdapter.json_schemas(
        [
            (kind, mode, TypeAdapter[Any](kind))
            for mode, kinds in modes.items()
            for kind in sorted(kinds, key=str)
        ],
        ref_template="#/components/schemas/{model}",
        schema_generator=PlainSchema,
    )
    return {kind: schema for (kind, _), schema in found.items()}, definitions["$defs"]


def _operation(route: ServiceRoute, method: str, schemas: Mapping[Any, _Table]) -> _Table:
    """Return what is said of an address that is asked by a method."""
    words = (route.endpoint.__doc__ or route.name).partition("\n")[0].rstrip(".")
    operation: _Table = {"summary": words}
    if route.need == "nothing":
        operation["security"] = []
    parameters = [_in_path(name, convertor) for name, convertor in route.param_convertors.items()]
    if route.asked is not None and method == "POST":
        content = {"application/json": {"schema": schemas[route.asked]}}
        operation["requestBody"] = {"required": True, "content": content}
    elif route.asked is not None:
        parameters += _in_query(schema_of(route.asked))
    return {**operation, "parameters": parameters, "responses": _responses(route, method, schemas)}


def _in_path(name: str, convertor: Convertor[Any]) -> _Table:
    count = {"type": "integer", "minimum": 0, "maximum": Count.most}
    schema = count if isinstance(convertor, Count) else {"type": "string", "minLength": 1}
    return {"name": name, "in": "path", "required": True, "schema": schema}


def _in_query(model: Mapping[str, Any]) -> list[_Table]:
    """Return the parameters of a query; an object is all parameters of other names."""
    required = model.get("required", ())
    return [
        {
            "name": name,
            "in": "query",
            **({"required": True} if name in required else {}),
            **({"style": "form", "explode": True} if schema["type"] == "object" else {}),
            "schema": schema,
        }
        for name, schema in model["properties"].items()
    ]


def _responses(route: ServiceRoute, method: str, schemas: Mapping[Any, _Table]) -> _Table:
    assert route.reply is not None
    content = {kind: {"schema": schemas[route.reply.shape]} for kind in route.reply.media_types}
    by_method = route.reply.statuses if method == "GET" else _OF_A_BODY if route.asked is not None else ()
    responses: _Table = {"200": {"description": "The answer", "content": content}}
    for status in sorted({*_ANYWHERE, *_REFUSED[route.need], *by_method, *route.statuses}):
        responses[str(status)] = {"description": _WHY[status]}
        if status == 206:
            responses["206"]["content"] = content
        elif status >= 400:
            responses[str(status)]["content"] = {"application/json": {"schema": schemas[Refusal]}}
    return responses
