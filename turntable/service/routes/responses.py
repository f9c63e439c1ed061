"""Response types, which endpoints have as return annotations; ``/openapi.json`` is generated from them."""

from dataclasses import dataclass
from typing import Annotated, Any, Generic, TypeVar, get_args, get_origin

from starlette.requests import Request
from starlette.responses import Response

from turntable.service.file_responses import MEDIA_TYPES, format_cache_control, is_not_modified
from turntable.service.json_responses import encode_json
from turntable.service.queries import compute_etag
from turntable.service.security import get_client

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class ResponseSpec:
    """A description of the response of a route."""

    shape: Any
    """Type of the JSON; bytes or str for other bodies."""
    media_types: tuple[str, ...] = ("application/json",)
    statuses: tuple[int, ...] = ()
    """Statuses of a response to GET, besides 200."""


class JsonResponse(Response, Generic[_T]):
    """A JSON response of a type."""

    media_type = "application/json"
    statuses: tuple[int, ...] = ()

    def __init__(self, value: _T) -> None:
        super().__init__(encode_json(value))


class ETagResponse(Response, Generic[_T]):
    """A response with an ETag: JSON of a type, or a picture; 304 without a body if the client has it already.

    Args:
        data: Body of the response.
        request: The request, which may have ``If-None-Match``.
        media_type: Media type of the body.
    """

    statuses = (304,)

    def __init__(self, data: bytes, request: Request, media_type: str = "application/json") -> None:
        headers = {
            "ETag": compute_etag(data),
            "Cache-Control": make_cache_control(request, request.path_params.get("name")),
        }
        if is_not_modified(request, headers["ETag"]):
            super().__init__(status_code=304, headers=headers)
        else:
            super().__init__(data, headers=headers, media_type=media_type)


_RANGE_STATUSES = (206, *ETagResponse.statuses, 412, 416)
AnyJson = dict[str, Any]
PlainText = Annotated[Response, ResponseSpec(str, ("text/plain",))]
JpegResponse = Annotated[Response, ResponseSpec(bytes, ("image/jpeg",), ETagResponse.statuses)]
PngResponse = Annotated[Response, ResponseSpec(bytes, ("image/png",), ETagResponse.statuses)]
FileResponse = Annotated[Response, ResponseSpec(bytes, MEDIA_TYPES, _RANGE_STATUSES)]
ManifestJson = Annotated[Response, ResponseSpec(AnyJson)]
ManifestFile = Annotated[Response, ResponseSpec(AnyJson, statuses=_RANGE_STATUSES)]


def make_etag_response(value: _T, request: Request) -> ETagResponse[_T]:
    """Return a JSON response with an ETag."""
    return ETagResponse(encode_json(value), request)


def make_cache_control(request: Request, dataset: str | None, is_immutable: bool = False) -> str:
    """Return the value of ``Cache-Control`` for a response about a data set.

    Args:
        request: The request.
        dataset: Name of the data set; None if the response is about no single data set.
        is_immutable: True if the URL contains a hash of the content.
    """
    return format_cache_control(is_immutable=is_immutable, public=get_client(request).is_public(dataset))


def find_response_spec(annotation: Any) -> ResponseSpec | None:
    """Return the description in an endpoint's return annotation; None if the annotation has none."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return next((item for item in get_args(annotation) if isinstance(item, ResponseSpec)), None)
    if origin in (JsonResponse, ETagResponse):
        return ResponseSpec(get_args(annotation)[0], statuses=origin.statuses)
    return None
