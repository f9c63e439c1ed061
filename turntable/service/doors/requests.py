"""What a request says, checked: numbers within bounds, bodies that are not too long and come in time."""

import asyncio
import json
import re
from collections.abc import Mapping
from typing import Any, cast

from starlette.convertors import Convertor, register_url_convertor
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request


class _Count(Convertor[int]):
    """A number in an address, of so few digits that it is one: ``{view:count}``."""

    regex = "[0-9]{1,9}"

    def convert(self, value: str) -> int:
        """Read it."""
        return int(value)

    def to_string(self, value: int) -> str:
        """Write it."""
        return str(value)


register_url_convertor("count", _Count())
MOST_BODY_BYTES = 64 << 10
BODY_S = 10.0
"""In which a body has to arrive."""


def number(values: Mapping[str, str], name: str, default: int, least: int = 0, most: int = 2**31 - 1) -> int:
    """A whole number of a request's query. Raises HTTPException (400) where it is none or out of bounds."""
    text = values.get(name)
    if text is None:
        return default
    if not (re.fullmatch(r"-?[0-9]{1,11}", text) and least <= int(text) <= most):
        raise HTTPException(400, f"{name}={text[:40]!r}: a whole number from {least} to {most} is wanted")
    return int(text)


async def json_body(request: Request) -> dict[str, Any]:
    """A request's JSON object.

    Raises:
        HTTPException: 400 where it is none, 408 where it comes too slowly, 413 where it is too long, 415
            where it says to be something else.
    """
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


def checked(body: Mapping[str, Any], required: Mapping[str, type], optional: Mapping[str, Any]) -> None:
    """Make sure that a body has these fields, of these types, and no others. Raises HTTPException (400)."""
    unknown = sorted(body.keys() - required.keys() - optional.keys())
    missing = sorted(required.keys() - body.keys())
    if unknown or missing:
        known = ", ".join([*required, *optional])
        parts = [f"unknown: {', '.join(name[:40] for name in unknown)}"] if unknown else []
        parts += [f"missing: {', '.join(missing)}"] if missing else []
        raise HTTPException(400, f"the body has {known}; {'; '.join(parts)}")
    for name, kind in {**required, **optional}.items():
        value = body.get(name)
        if value is None and name in optional:
            continue
        if not isinstance(value, kind) or isinstance(value, bool):
            raise HTTPException(400, f"{name} must be {_words(kind)}")


def texts(body: Mapping[str, Any], name: str) -> tuple[str, ...]:
    """A list of texts of a body; none where it is left out. Raises HTTPException (400)."""
    found = body.get(name) or []
    if not all(isinstance(item, str) for item in found):
        raise HTTPException(400, f"{name} must be a list of texts")
    return tuple(dict.fromkeys(found))


def numbers(body: Mapping[str, Any], name: str) -> dict[str, float]:
    """A table of numbers by name. Raises HTTPException (400)."""
    found = cast("dict[str, Any]", body.get(name) or {})
    for key, value in found.items():
        if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e9:
            raise HTTPException(400, f"{name}: {key[:40]} must be a number below 1e9 in size")
    return {key: float(value) for key, value in found.items()}


def render_query(values: Mapping[str, str]) -> dict[str, Any]:
    """Return what a picture's address says as a body would say it.

    Args:
        values: Of ``?dataset=…&key=…&view=…&size=…&FACTOR=VALUE``.

    Raises:
        HTTPException: 400 where a number is none.
    """
    body: dict[str, Any] = {name: values[name] for name in ("dataset", "key") if name in values}
    body |= {name: number(values, name, 0) for name in ("view", "size") if name in values}
    factors = dict[str, float]()
    for name, text in values.items():
        if name not in ("dataset", "key", "view", "size"):
            try:
                factors[name] = float(text)
            except ValueError:
                raise HTTPException(400, f"{name[:40]}={text[:40]!r} is no number") from None
    return {**body, "factors": factors}


async def _read(request: Request) -> bytes:
    data = bytearray()
    async for piece in request.stream():
        data += piece
        if len(data) > MOST_BODY_BYTES:
            raise HTTPException(413, f"the body is above {MOST_BODY_BYTES >> 10} KiB")
    return bytes(data)


def _words(kind: type) -> str:
    return {str: "a text", int: "a whole number", list: "a list", dict: "an object"}[kind]
