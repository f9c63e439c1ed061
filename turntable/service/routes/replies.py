"""Answers, whose types say what comes back: an endpoint that returns one is described by it."""

from dataclasses import dataclass
from typing import Annotated, Any, Generic, TypeVar, get_args, get_origin

from starlette.requests import Request
from starlette.responses import Response

from turntable.service.answers import json_bytes
from turntable.service.doors import asker_of_request
from turntable.service.files import MEDIA_TYPES, cache_control, not_modified
from turntable.service.queries import etag_of

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Reply:
    """What comes back from an address."""

    shape: Any
    """The type of its JSON; bytes or str where it is none."""
    media_types: tuple[str, ...] = ("application/json",)
    statuses: tuple[int, ...] = ()
    """Of an answer to GET, beside 200."""


class Json(Response, Generic[_T]):
    """An answer in JSON of a type."""

    media_type = "application/json"
    statuses: tuple[int, ...] = ()

    def __init__(self, told: _T) -> None:
        super().__init__(json_bytes(told))


class Kept(Response, Generic[_T]):
    """An answer that its reader keeps while it is the same, by its ETag: JSON of a type, or a picture.

    Args:
        data: Its bytes.
        request: May say which one its reader has.
        media_type: Theirs.
    """

    statuses = (304,)

    def __init__(self, data: bytes, request: Request, media_type: str = "application/json") -> None:
        headers = {"ETag": etag_of(data), "Cache-Control": caching(request, request.path_params.get("name"))}
        if not_modified(request, headers["ETag"]):
            super().__init__(status_code=304, headers=headers)
        else:
            super().__init__(data, headers=headers, media_type=media_type)


_IN_PARTS = (206, *Kept.statuses, 412, 416)
AnyJson = dict[str, Any]
PlainText = Annotated[Response, Reply(str, ("text/plain",))]
Jpeg = Annotated[Response, Reply(bytes, ("image/jpeg",), Kept.statuses)]
File = Annotated[Response, Reply(bytes, MEDIA_TYPES, _IN_PARTS)]
ManifestJson = Annotated[Response, Reply(AnyJson)]
ManifestFile = Annotated[Response, Reply(AnyJson, statuses=_IN_PARTS)]


def kept(told: _T, request: Request) -> Kept[_T]:
    """Return an answer in JSON that its reader keeps."""
    return Kept(json_bytes(told), request)


def caching(request: Request, dataset: str | None, by_content: bool = False) -> str:
    """Return what ``Cache-Control`` says of an answer about a data set."""
    return cache_control(by_content=by_content, public=asker_of_request(request).is_public(dataset))


def reply_in(annotation: Any) -> Reply | None:
    """Return what comes back where an endpoint returns this type; None where the type does not say it."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return next((item for item in get_args(annotation) if isinstance(item, Reply)), None)
    if origin in (Json, Kept):
        return Reply(get_args(annotation)[0], statuses=origin.statuses)
    return None
