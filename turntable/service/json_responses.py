"""JSON encoding, and the responses and exception handlers for errors."""

import json
from collections.abc import Mapping
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from turntable.errors import IntegrityError, InvalidInputError, MissingExtraError, TurntableError


class AsciiJsonResponse(JSONResponse):
    """A JSON response in ASCII.

    Error messages may quote lone surrogates from a request, which UTF-8 cannot encode.
    """

    def render(self, content: Any) -> bytes:
        """Return the body as JSON."""
        return json.dumps(content, allow_nan=False, separators=(",", ":")).encode("ascii")


def encode_json(value: object) -> bytes:
    """Return a value as JSON.

    Raises:
        IntegrityError: The value has a NaN or an infinity, which only a damaged data set contains.
    """
    try:
        return json.dumps(value, allow_nan=False).encode("ascii")
    except ValueError:
        raise IntegrityError(
            "the data set has labels that are not finite numbers; run turntable verify on it"
        ) from None


def make_error_response(status: int, message: str, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """Return the response ``{"error": message}`` with a status."""
    return AsciiJsonResponse({"error": message}, status, dict(headers or {}))


async def handle_http_error(_: Request, error: Exception) -> Response:
    """Return the response for an HTTPException that a route raised."""
    assert isinstance(error, HTTPException)
    return make_error_response(error.status_code, error.detail, error.headers)


async def handle_turntable_error(_: Request, error: Exception) -> Response:
    """Return the response for a TurntableError: 400 for invalid input, 501 for a missing extra, else 500."""
    assert isinstance(error, TurntableError)
    if isinstance(error, MissingExtraError):  # its message tells how to install, and may name a local folder
        return make_error_response(501, f"{error.library} is not installed where this service runs")
    return make_error_response(400 if isinstance(error, InvalidInputError) else 500, str(error))
