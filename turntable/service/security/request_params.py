"""Parameters of requests: read from a query or a JSON body, within limits, and checked against a model.

The same model describes the parameters in ``/openapi.json``.
"""

import asyncio
import json
import re
from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any, TypeVar, cast

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.json_schema import GenerateJsonSchema
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request

from turntable.errors import format_text

MAX_BODY_BYTES = 64 << 10
"""Largest size of a body."""
BODY_TIMEOUT_S = 10.0
"""Seconds within which a body has to arrive."""
MAX_ITEMS = 100
"""Largest number of entries of a list or an object in a request."""
NonNegativeInt = Annotated[int, Field(ge=0, le=2**31 - 1)]
"""A whole number from 0."""
_MAX_SHOWN_LENGTH = 40
"""Number of characters of a client's name or value that a message quotes."""


class RequestParams(BaseModel):
    """The base class of the parameters of a request: those of its query, or the fields of its body.

    A field that may be None may be left out.
    """

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


_A = TypeVar("_A", bound=RequestParams)


class PlainSchema(GenerateJsonSchema):
    """A generator of plain JSON schemas: no titles that repeat names, no null for parameters left out."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        """Return False: a title would repeat the name of the field."""
        del schema
        return False

    def nullable_schema(self, schema: Any) -> dict[str, Any]:
        """Return the schema of a field that may be None; for requests without the null."""
        is_request = self.mode == "validation"
        return self.generate_inner(schema["schema"]) if is_request else super().nullable_schema(schema)

    def default_schema(self, schema: Any) -> dict[str, Any]:
        """Return the schema of a field with a default, without a default of null."""
        schema_ = super().default_schema(schema)
        return {name: value for name, value in schema_.items() if (name, value) != ("default", None)}


@cache
def get_schema(model: type[RequestParams]) -> Mapping[str, Any]:
    """Return the JSON schema of a model."""
    return model.model_json_schema(schema_generator=PlainSchema)


async def read_params(request: Request, model: type[RequestParams]) -> dict[str, Any]:
    """Read the unchecked parameters of a request: from the body of a POST, otherwise from the query.

    Raises:
        HTTPException: 400 if the body is not a JSON object, 408 if it takes too long to arrive, 413 if it is
            too long, 415 if its Content-Type is not JSON.
    """
    if request.method == "POST":
        return await _read_json_body(request)
    return _parse_query(request.query_params, get_schema(model)["properties"])


def parse_params(raw: Mapping[str, Any], model: type[_A]) -> _A:
    """Check parameters against a model and return them as the model.

    Raises:
        HTTPException: 400 for an unknown, missing or wrong parameter.
    """
    properties, required = get_schema(model)["properties"], get_schema(model).get("required", ())
    unknown, missing = raw.keys() - properties.keys(), [name for name in required if name not in raw]
    if unknown or missing:
        shown = [name[:_MAX_SHOWN_LENGTH] for name in sorted(unknown)]
        parts = [f"unknown: {', '.join(shown)}"] if unknown else []
        parts += [f"missing: {', '.join(missing)}"] if missing else []
        raise HTTPException(400, f"the parameters are {', '.join(properties)}; {'; '.join(parts)}")
    given: dict[str, Any] = {}
    for name, value in raw.items():
        # Checked before the model does: pydantic would collect an error for each of a million wrong entries.
        if isinstance(value, list | dict) and len(cast("list[Any] | dict[str, Any]", value)) > MAX_ITEMS:
            raise HTTPException(400, f"{name} must be {_format_schema(properties[name])}")
        if value is not None or name in required:  # null counts as left out
            given[name] = value
    try:
        return model.model_validate(given)
    except ValidationError as error:
        raise HTTPException(400, _format_error(error, properties)) from None


def _parse_query(values: Mapping[str, str], properties: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters of a query in the form that a JSON body has.

    An empty text counts as left out. A property that is an object collects all parameters of other names. If
    there is no such property, they are ignored: the query may have those of a signed link.
    """
    object_name = next((name for name, schema in properties.items() if schema["type"] == "object"), None)
    params: dict[str, Any] = {}
    others: dict[str, float | str] = {}
    for name, text in values.items():
        type_ = properties[name]["type"] if name in properties else "object"
        if type_ == "object":
            others[name] = _parse_number(text)
        elif type_ == "integer":
            params[name] = _parse_integer(text)
        elif text:
            params[name] = text
    return params if object_name is None else {**params, object_name: others}


def _parse_integer(text: str) -> int | str:
    return int(text) if re.fullmatch(r"-?[0-9]{1,11}", text) else text


def _parse_number(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


async def _read_json_body(request: Request) -> dict[str, Any]:
    """Read the JSON object in the body of a request."""
    # Required, as browsers let a page of another origin send a body without a Content-Type, or with one for
    # text, without a preflight request (CORS).
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise HTTPException(415, "send JSON (Content-Type: application/json)")
    try:
        data = await asyncio.wait_for(_read_body(request), BODY_TIMEOUT_S)
        body = json.loads(data)
    except TimeoutError:
        raise HTTPException(408, f"the body took more than {BODY_TIMEOUT_S:g} s to arrive") from None
    except ClientDisconnect:
        raise HTTPException(400, "the request ended before its body") from None
    except (ValueError, RecursionError) as error:
        raise HTTPException(400, f"the body is not JSON: {error}") from None
    if not isinstance(body, dict):
        raise HTTPException(400, "the body must be a JSON object")
    return cast("dict[str, Any]", body)


async def _read_body(request: Request) -> bytes:
    data = bytearray()
    async for piece in request.stream():
        data += piece
        if len(data) > MAX_BODY_BYTES:
            raise HTTPException(413, f"the body is longer than {MAX_BODY_BYTES >> 10} KiB")
    return bytes(data)


def _format_error(error: ValidationError, properties: Mapping[str, Any]) -> str:
    """Return the message for the first wrong field."""
    details = error.errors(include_url=False, include_context=False)[0]
    name, *inside = map(str, details["loc"])
    schema = properties[name]
    if schema["type"] == "object" and inside:
        name, schema = f"{name}: {inside[0][:_MAX_SHOWN_LENGTH]}", schema["additionalProperties"]
    value = details["input"]
    given = (
        f", not {format_text(repr(value), _MAX_SHOWN_LENGTH)}" if isinstance(value, str | int | float) else ""
    )
    return f"{name} must be {_format_schema(schema)}{given}"


def _format_schema(schema: Mapping[str, Any]) -> str:
    bounds = [word.format(schema[key]) for key, word in _BOUND_FORMATS.items() if key in schema]
    return " ".join([_TYPE_NAMES[schema["type"]], *bounds])


_TYPE_NAMES = {
    "string": "a text",
    "integer": "a whole number",
    "number": "a number",
    "array": "a list of texts",
    "object": "an object",
}
_BOUND_FORMATS = {
    "maxLength": "of at most {} characters",
    "maxItems": "of at most {} entries",
    "maxProperties": "of at most {} entries",
    "minimum": "from {}",
    "maximum": "to {}",
    "exclusiveMinimum": "above {:g}",
    "exclusiveMaximum": "and below {:g}",
}
