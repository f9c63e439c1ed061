"""Responses with a file: ranges, ETags, preconditions and caching, as RFC 9110 defines them."""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio.to_thread
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from turntable.service.catalog import OpenedFile
from turntable.service.security import ZERO_COPY

_IMMUTABLE = "max-age=31536000, immutable"
"""Directives for a file whose name contains a hash of its content."""
_REVALIDATE = "no-cache"
"""Directive for all else: a cache may store it, but has to revalidate it by its ETag."""
_CHUNK_BYTES = 1 << 20
"""Bytes read and sent at a time where the server has no zero-copy."""
_MEDIA_TYPE_BY_SUFFIX = {
    ".json": "application/json",
    ".jsonl": "application/jsonl",
    ".jpg": "image/jpeg",
    ".md": "text/markdown; charset=utf-8",
    ".parquet": "application/vnd.apache.parquet",
    ".tar": "application/x-tar",
}
_DEFAULT_MEDIA_TYPE = "application/octet-stream"
MEDIA_TYPES = (*_MEDIA_TYPE_BY_SUFFIX.values(), _DEFAULT_MEDIA_TYPE)
"""Media types of the files of a data set."""


def format_cache_control(*, is_immutable: bool, public: bool) -> str:
    """Return the value of the header ``Cache-Control``.

    Args:
        is_immutable: True if the name contains a hash of the content.
        public: True if anyone may read it. What needs a token must not be stored by shared caches.
    """
    return f"{'public' if public else 'private'}, {_IMMUTABLE if is_immutable else _REVALIDATE}"


@dataclass(frozen=True, slots=True)
class ByteRange:
    """A range of a file's bytes."""

    offset: int
    """Position of the first byte."""
    count: int
    """Number of bytes."""


class FileRangeResponse(Response):
    """A response with a file or a part of it, which closes the file.

    If the server supports zero-copy, the kernel sends the file without a copy through this process.
    """

    def __init__(self, opened: OpenedFile, part: ByteRange | None, headers: dict[str, str]) -> None:
        """Prepare the status and the headers.

        Args:
            opened: The file.
            part: The range to send; None for the whole file.
            headers: Further headers of the response.
        """
        self._opened, self._part = opened, part or ByteRange(0, opened.size)
        headers |= {"Accept-Ranges": "bytes", "Content-Length": str(self._part.count)}
        if part is not None:
            headers["Content-Range"] = f"bytes {part.offset}-{part.offset + part.count - 1}/{opened.size}"
        self.status_code, self.background = 206 if part is not None else 200, None
        self.media_type = get_media_type(opened.name)
        self.init_headers(headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the head and the bytes of the file, then close the file."""
        del receive
        with self._opened.file as file:
            await send(
                {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}
            )
            if scope["method"] == "HEAD" or not self._part.count:
                await send({"type": "http.response.body", "body": b""})
            elif ZERO_COPY in scope.get("extensions", {}):
                part = {"file": file, "offset": self._part.offset, "count": self._part.count}
                await send({"type": ZERO_COPY, **part})
            else:
                await self._read_and_send(file, send)

    async def _read_and_send(self, file: Any, send: Send) -> None:
        offset, end = self._part.offset, self._part.offset + self._part.count
        while offset < end:
            count = min(_CHUNK_BYTES, end - offset)
            data = await anyio.to_thread.run_sync(os.pread, file.fileno(), count, offset)
            if not data:
                raise OSError(f"{self._opened.name} was truncated while it was sent")
            offset += len(data)
            await send({"type": "http.response.body", "body": data, "more_body": offset < end})


def make_file_response(opened: OpenedFile, cache: str, request: Request) -> Response:
    """Return the response to a request for a file: the file, a part of it, or 304 if the client has it.

    The response closes the file once it is sent; in all other cases the file is closed here.

    Args:
        opened: The file.
        cache: Value of the header ``Cache-Control``.
        request: The request, GET or HEAD.

    Raises:
        HTTPException: 400 for a malformed range, 412 for an ``If-Match`` that does not match, 416 for a range
            beyond the end of the file.
    """
    try:
        response = _make_file_response(opened, cache, request)
    except BaseException:
        opened.file.close()
        raise
    if not isinstance(response, FileRangeResponse):
        opened.file.close()
    return response


def _make_file_response(opened: OpenedFile, cache: str, request: Request) -> Response:
    headers = {"ETag": opened.etag, "Cache-Control": cache}
    known = request.headers.get("if-match")
    if known is not None and not _matches_etag(known, opened.etag):
        raise HTTPException(412, "the file's ETag does not match If-Match")
    if is_not_modified(request, opened.etag):
        return Response(status_code=304, headers=headers)
    part = None
    if "range" in request.headers and request.headers.get("if-range", opened.etag) == opened.etag:
        part = _parse_range(request.headers["range"], opened.size)
    return FileRangeResponse(opened, part, headers)


def is_not_modified(request: Request, etag: str) -> bool:
    """Return True if the client has this version already, by its ``If-None-Match``."""
    known = request.headers.get("if-none-match")
    return known is not None and _matches_etag(known, etag)


def get_media_type(name: str) -> str:
    """Return the media type of a file by its suffix."""
    return _MEDIA_TYPE_BY_SUFFIX.get(Path(name).suffix, _DEFAULT_MEDIA_TYPE)


def _matches_etag(listed: str, etag: str) -> bool:
    tags = [tag.strip().removeprefix("W/") for tag in listed.split(",")]
    return "*" in tags or etag in tags


def _parse_range(header: str, size: int) -> ByteRange | None:
    """Return the range that a Range header asks for; None for the whole file.

    RFC 9110 allows a server to ignore a Range header. This one ignores unknown units and several ranges.
    """
    unit, _, ranges = header.partition("=")
    if unit.strip().lower() != "bytes" or "," in ranges:
        return None
    # No two adjacent parts of the pattern match the same characters, so it never backtracks: a hostile header
    # takes time in proportion to its length. 19 digits are enough for any file.
    match = re.fullmatch(r"(\d{0,19})\s*-\s*(\d{0,19})", ranges.strip(), re.ASCII)
    if match is None or not any(match.groups()):
        raise HTTPException(
            400, f"Range {header[:80]!r} is malformed; write bytes=FIRST-LAST, bytes=FIRST- or bytes=-COUNT"
        )
    first, last = match.groups()
    start = int(first) if first else max(0, size - int(last))
    stop = min(size, int(last) + 1) if first and last else size
    if first and last and int(last) < start:
        raise HTTPException(400, f"Range {header[:80]!r} ends before it starts")
    if start >= size or (not first and not int(last)):
        raise HTTPException(
            416,
            f"Range {header[:80]!r} lies beyond the end: the file has {size} bytes",
            headers={"Content-Range": f"bytes */{size}"},
        )
    return ByteRange(start, stop - start)
