"""The OpenAPI 3.1 document of the service, generated from its routes."""

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import JsonSchemaMode
from starlette.convertors import Convertor
from starlette.routing import BaseRoute

from turntable import __version__
from turntable.service.routes.route import CountConvertor, ServiceRoute
from turntable.service.schemas import Refusal
from turntable.service.security import TOKEN_COOKIE, Permission, PlainSchema, get_schema

_Table = dict[str, Any]
_STATUS_DESCRIPTIONS = {
    206: "The range that Range asks for",
    304: "Not modified: the client has this version already",
    400: "The request is malformed or a parameter is wrong",
    401: "A token is missing, unknown, expired or revoked",
    403: "The token does not have the permission",
    404: "There is no such data set, file, object, view or subset",
    408: "The body took too long to arrive",
    412: "The file's ETag does not match If-Match",
    413: "The body is too long",
    415: "The body is not JSON (Content-Type: application/json)",
    416: "The range lies beyond the end of the file",
    421: "The service does not answer to this Host",
    422: "The object's mesh cannot be used",
    429: "Too many requests; Retry-After is the number of seconds to wait",
    500: "The data set is damaged",
    501: "Views of this data set are not rendered here",
    503: "The service is busy; Retry-After is the number of seconds to wait",
}
_COMMON_STATUSES = (400, 421, 429, 503)
_BODY_STATUSES = (408, 413, 415)
_DATASET_STATUSES = (401, 403, 404, 500)
_STATUSES_BY_PERMISSION: Mapping[Permission, tuple[int, ...]] = {
    "nothing": (),
    "own": (401,),
    "admin": (401, 403),
    "read": _DATASET_STATUSES,
    "render": _DATASET_STATUSES,
}


def build_openapi(routes: Iterable[BaseRoute]) -> _Table:
    """Return the document.

    It describes each method except HEAD of each route that has a typed response.
    """
    described = [
        route for route in routes if isinstance(route, ServiceRoute) and route.response_spec is not None
    ]
    schemas, components = _build_schemas(described)
    paths = {
        route.path_format: {
            method.lower(): _build_operation(route, method, schemas) for method in route.http_methods
        }
        for route in described
    }
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "turntable data service",
            "version": __version__,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
            "description": "Labeled views of 3D objects: a catalog, files with Range, queries and rendering.",
        },
        # The folder that this document is in: the service may lie under any path of its host.
        "servers": [{"url": "."}],
        # {} is no token: without a file of tokens everything is open, and with one data sets may be public.
        "security": [{}, {"bearer": []}, {"cookie": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "cookie": {"type": "apiKey", "in": "cookie", "name": TOKEN_COOKIE},
            },
            "schemas": components,
        },
    }


def _build_schemas(routes: Iterable[ServiceRoute]) -> tuple[Mapping[Any, _Table], _Table]:
    """Return the schemas of all responses and bodies by type, and the named schemas that they refer to."""
    responses = {Refusal, *(route.response_spec.shape for route in routes if route.response_spec is not None)}
    bodies = {
        route.params_model
        for route in routes
        if route.params_model is not None and "POST" in route.http_methods
    }
    modes: Mapping[JsonSchemaMode, set[Any]] = {"serialization": responses, "validation": bodies}
    # Sorted: the order of a set of types changes from run to run, and the document must not.
    schemas, definitions = TypeAdapter.json_schemas(
        [
            (type_, mode, TypeAdapter[Any](type_))
            for mode, types in modes.items()
            for type_ in sorted(types, key=str)
        ],
        ref_template="#/components/schemas/{model}",
        schema_generator=PlainSchema,
    )
    return {type_: schema for (type_, _), schema in schemas.items()}, definitions["$defs"]


def _build_operation(route: ServiceRoute, method: str, schemas: Mapping[Any, _Table]) -> _Table:
    """Return the description of a route and one of its methods; its summary is the endpoint's docstring."""
    summary = (route.endpoint.__doc__ or route.name).partition("\n")[0].rstrip(".")
    operation: _Table = {"summary": summary}
    if route.permission == "nothing":
        operation["security"] = []
    parameters = [
        _build_path_parameter(name, convertor) for name, convertor in route.param_convertors.items()
    ]
    if route.params_model is not None and method == "POST":
        content = {"application/json": {"schema": schemas[route.params_model]}}
        operation["requestBody"] = {"required": True, "content": content}
    elif route.params_model is not None:
        parameters += _build_query_parameters(get_schema(route.params_model))
    return {**operation, "parameters": parameters, "responses": _build_responses(route, method, schemas)}


def _build_path_parameter(name: str, convertor: Convertor[Any]) -> _Table:
    count = {"type": "integer", "minimum": 0, "maximum": CountConvertor.max_value}
    schema = count if isinstance(convertor, CountConvertor) else {"type": "string", "minLength": 1}
    return {"name": name, "in": "path", "required": True, "schema": schema}


def _build_query_parameters(model: Mapping[str, Any]) -> list[_Table]:
    """Return the query parameters of a model; an object stands for all parameters of other names."""
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


def _build_responses(route: ServiceRoute, method: str, schemas: Mapping[Any, _Table]) -> _Table:
    assert route.response_spec is not None
    content = {
        media_type: {"schema": schemas[route.response_spec.shape]}
        for media_type in route.response_spec.media_types
    }
    by_method = (
        route.response_spec.statuses
        if method == "GET"
        else _BODY_STATUSES
        if route.params_model is not None
        else ()
    )
    responses: _Table = {"200": {"description": "The response", "content": content}}
    for status in sorted(
        {*_COMMON_STATUSES, *_STATUSES_BY_PERMISSION[route.permission], *by_method, *route.statuses}
    ):
        responses[str(status)] = {"description": _STATUS_DESCRIPTIONS[status]}
        if status == 206:
            responses["206"]["content"] = content
        elif status >= 400:
            responses[str(status)]["content"] = {"application/json": {"schema": schemas[Refusal]}}
    return responses
