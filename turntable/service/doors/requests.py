"""What a request says, checked by a model that describes it too; bodies are not too long and come in time."""

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

from turntable.errors import shown

MOST_BODY_BYTES = 64 << 10
BODY_S = 10.0
"""In which a body has to arrive."""
MOST_ITEMS = 100
"""Of a list or an object in what a request says."""
Whole = Annotated[int, Field(ge=0, le=2**31 - 1)]
"""A whole number that is not below 0."""
_LONGEST_SHOWN = 40
"""Characters of a stranger's name or value in a message."""


class Asked(BaseModel):
    """The base of what a request may say: the parameters of its query, or the fields of its body.

    A field that may be None is one that may be left out.
    """

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


_A = TypeVar("_A", bound=Asked)


class PlainSchema(GenerateJsonSchema):
    """The JSON schema of a type, without titles that repeat names, and without None for what is left out."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        """Return False: the name of a field says it."""
        del schema
        return False

    def nullable_schema(self, schema: Any) -> dict[str, Any]:
        """Return the schema of what may be None."""
        asked = self.mode == "validation"
        return self.generate_inner(schema["schema"]) if asked else super().nullable_schema(schema)

    def default_schema(self, schema: Any) -> dict[str, Any]:
        """Return the schema of what may be left out."""
        made = super().default_schema(schema)
        return {name: value for name, value in made.items() if (name, value) != ("default", None)}


@cache
def schema_of(model: type[Asked]) -> Mapping[str, Any]:
    """Return the JSON schema by which a model is described."""
    return model.model_json_schema(schema_generator=PlainSchema)


async def said_in(request: Request, model: type[Asked]) -> dict[str, Any]:
    """Return what a request says, not yet checked: a POST in its body, any other in its query.

    Raises:
        HTTPException: 400 where a body is no JSON object, 408 where it comes too slowly, 413 where it is too
            long, 415 where it says to be something else.
    """
    if request.method == "POST":
        return await _json_body(request)
    return _said_in_query(request.query_params, schema_of(model)["properties"])


def checked(said: Mapping[str, Any], model: type[_A]) -> _A:
    """Return what was said as its model. Raises HTTPException (400) where it cannot be that."""
    properties, required = schema_of(model)["properties"], schema_of(model).get("required", ())
    unknown, missing = said.keys() - properties.keys(), [name for name in required if name not in said]
    if unknown or missing:
        named = [name[:_LONGEST_SHOWN] for name in sorted(unknown)]
        parts = [f"unknown: {', '.join(named)}"] if unknown else []
        parts += [f"missing: {', '.join(missing)}"] if missing else []
        raise HTTPException(400, f"this is asked with {', '.join(properties)}; {'; '.join(parts)}")
    told: dict[str, Any] = {}
    for name, value in said.items():
        # Each of very many that are wrong would be told, which takes time.
        if isinstance(value, list | dict) and len(cast("list[Any] | dict[str, Any]", value)) > MOST_ITEMS:
            raise HTTPException(400, f"{name} must be {_words(properties[name])}")
        if value is not None or name in required:  # what may be left out may be null as well
            told[name] = value
    try:
        return model.model_validate(told)
    except ValidationError as error:
        raise HTTPException(400, _fault(error, properties)) from None


def _said_in_query(values: Mapping[str, str], properties: Mapping[str, Any]) -> dict[str, Any]:
    """Return what an address says behind its "?", as a body would say it.

    A text that is empty is left out. An object has all parameters of other names; where there is none, others
    are of no interest, as those of a link.
    """
    table = next((name for name, schema in properties.items() if schema["type"] == "object"), None)
    said: dict[str, Any] = {}
    others: dict[str, float | str] = {}
    for name, text in values.items():
        kind = properties[name]["type"] if name in properties else "object"
        if kind == "object":
            others[name] = _number(text)
        elif kind == "integer":
            said[name] = _whole(text)
        elif text:
            said[name] = text
    return said if table is None else {**said, table: others}


def _whole(text: str) -> int | str:
    return int(text) if re.fullmatch(r"-?[0-9]{1,11}", text) else text


def _number(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


async def _json_body(request: Request) -> dict[str, Any]:
    """Return a request's JSON object."""
    # Not even where it is left out: a page of another origin may send that without asking first.
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise HTTPException(415, "send JSON (Content-Type: application/json)")
    try:
        data = await asyncio.wait_for(_read(request), BODY_S)
        body = json.loads(data)
    except TimeoutError:
        raise HTTPException(408, f"the body took more than {BODY_S:g} s") from None
    except ClientDisconnect:
        raise HTTPException(400, "the request ended before its body") from None
    except (ValueError, RecursionError) as error:
        raise HTTPException(400, f"the body is no JSON: {error}") from None
    if not isinstance(body, dict):
        raise HTTPException(400, "the body must be a JSON object")
    return cast("dict[str, Any]", body)


async def _read(request: Request) -> bytes:
    data = bytearray()
    async for piece in request.stream():
        data += piece
        if len(data) > MOST_BODY_BYTES:
            raise HTTPException(413, f"the body is above {MOST_BODY_BYTES >> 10} KiB")
    return bytes(data)


def _fault(error: ValidationError, properties: Mapping[str, Any]) -> str:
    """Return what is wrong with the first of the fields that cannot be."""
    fault = error.errors(include_url=False, include_context=False)[0]
    name, *inside = map(str, fault["loc"])
    schema = properties[name]
    if schema["type"] == "object" and inside:
        name, schema = f"{name}: {inside[0][:_LONGEST_SHOWN]}", schema["additionalProperties"]
    value = fault["input"]
    found = f", not {shown(repr(value), _LONGEST_SHOWN)}" if isinstance(value, str | int | float) else ""
    return f"{name} must be {_words(schema)}{found}"


def _words(schema: Mapping[str, Any]) -> str:
    bounds = [word.format(schema[key]) for key, word in _BOUNDS.items() if key in schema]
    return " ".join([_KINDS[schema["type"]], *bounds])


_KINDS = {
    "string": "a text",
    "integer": "a whole number",
    "number": "a number",
    "array": "a list of texts",
    "object": "an object",
}
_BOUNDS = {
    "maxLength": "of at most {} characters",
    "maxItems": "of at most {} entries",
    "maxProperties": "of at most {} entries",
    "minimum": "from {}",
    "maximum": "to {}",
    "exclusiveMinimum": "above {:g}",
    "exclusiveMaximum": "and below {:g}",
}
