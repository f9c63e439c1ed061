"""Answers of one kind: what went wrong, said so that whoever asked can mend it."""

import json
from collections.abc import Mapping
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from turntable.errors import IntegrityError, InvalidInputError, MissingExtraError, TurntableError


class PlainJson(JSONResponse):
    """JSON of ASCII alone: what quotes a request may hold halves of characters, which UTF-8 has not."""

    def render(self, content: Any) -> bytes:
        """Write the body."""
        return json.dumps(content, allow_nan=False, separators=(",", ":")).encode("ascii")


def json_bytes(told: object) -> bytes:
    """Return JSON. Raises IntegrityError for numbers that are none, which are a damaged data set's."""
    try:
        return json.dumps(told, allow_nan=False).encode("ascii")
    except ValueError:
        raise IntegrityError(
            "the data set has labels that are no numbers; run turntable verify on it"
        ) from None


def problem(status: int, message: str, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """An answer that says what is wrong."""
    return PlainJson({"error": message}, status, dict(headers or {}))


async def http_problem(_: Request, error: Exception) -> Response:
    """Of what the routes refuse."""
    assert isinstance(error, HTTPException)
    return problem(error.status_code, error.detail, error.headers)


async def turntable_problem(_: Request, error: Exception) -> Response:
    """Of what turntable says of its input or its files."""
    assert isinstance(error, TurntableError)
    if isinstance(error, MissingExtraError):  # the line that installs it may name a folder of this machine
        return problem(501, f"{error.library} is not installed where this service runs")
    return problem(400 if isinstance(error, InvalidInputError) else 500, str(error))
