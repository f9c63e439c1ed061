"""One file over HTTP: its parts, whether it has changed, and only what was asked for (RFC 9110)."""

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

from turntable.service.catalogue import OpenedFile
from turntable.service.doors import ZERO_COPY

_FOR_EVER = "max-age=31536000, immutable"
"""For what is named by its content."""
_ASK_AGAIN = "no-cache"
"""For all else: it may be kept, but is asked for again by its ETag."""
_PIECE_BYTES = 1 << 20
_BY_ENDING = {
    ".json": "application/json",
    ".jsonl": "application/jsonl",
    ".jpg": "image/jpeg",
    ".md": "text/markdown; charset=utf-8",
    ".parquet": "application/vnd.apache.parquet",
    ".tar": "application/x-tar",
}
_BYTES = "application/octet-stream"
MEDIA_TYPES = (*_BY_ENDING.values(), _BYTES)
"""Of the files of a data set."""


def cache_control(*, by_content: bool, public: bool) -> str:
    """Return what ``Cache-Control`` says of an answer.

    Args:
        by_content: Whether its name tells its content.
        public: Whether anyone may have it; what needed a key is kept by nobody but who had it.
    """
    return f"{'public' if public else 'private'}, {_FOR_EVER if by_content else _ASK_AGAIN}"


@dataclass(frozen=True, slots=True)
class ByteRange:
    """A range of a file's bytes."""

    offset: int
    count: int


class FileAnswer(Response):
    """A file, or a part of it, sent by the kernel where the server can have it do so. It closes the file."""

    def __init__(self, opened: OpenedFile, part: ByteRange | None, headers: dict[str, str]) -> None:
        """Prepare the answer.

        Args:
            opened: The file.
            part: What of it; None: all.
            headers: That go with it.
        """
        self._opened, self._part = opened, part or ByteRange(0, opened.size)
        headers |= {"Accept-Ranges": "bytes", "Content-Length": str(self._part.count)}
        if part is not None:
            headers["Content-Range"] = f"bytes {part.offset}-{part.offset + part.count - 1}/{opened.size}"
        self.status_code, self.background = 206 if part is not None else 200, None
        self.media_type = media_type(opened.name)
        self.init_headers(headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
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
            count = min(_PIECE_BYTES, end - offset)
            data = await anyio.to_thread.run_sync(os.pread, file.fileno(), count, offset)
            if not data:
                raise OSError(f"{self._opened.name} became shorter while it was sent")
            offset += len(data)
            await send({"type": "http.response.body", "body": data, "more_body": offset < end})


def file_answer(opened: OpenedFile, cache: str, request: Request) -> Response:
    """Return the answer to a request for a file, which is closed where the answer is not the file.

    Args:
        opened: The file.
        cache: What ``Cache-Control`` says.
        request: GET or HEAD.

    Raises:
        HTTPException: 400 for a range that is none, 412 for a precondition that fails, 416 for a range beyond
            the end.
    """
    try:
        answer = _file_answer(opened, cache, request)
    except BaseException:
        opened.file.close()
        raise
    if not isinstance(answer, FileAnswer):
        opened.file.close()
    return answer


def _file_answer(opened: OpenedFile, cache: str, request: Request) -> Response:
    headers = {"ETag": opened.etag, "Cache-Control": cache}
    known = request.headers.get("if-match")
    if known is not None and not _names(known, opened.etag):
        raise HTTPException(412, "the file is not the one that If-Match names")
    if not_modified(request, opened.etag):
        return Response(status_code=304, headers=headers)
    part = None
    if "range" in request.headers and request.headers.get("if-range", opened.etag) == opened.etag:
        part = _part(request.headers["range"], opened.size)
    return FileAnswer(opened, part, headers)


def not_modified(request: Request, etag: str) -> bool:
    """Whether the asker has what it asks for already."""
    known = request.headers.get("if-none-match")
    return known is not None and _names(known, etag)


def media_type(name: str) -> str:
    """Of a file, by its ending."""
    return _BY_ENDING.get(Path(name).suffix, _BYTES)


def _names(listed: str, etag: str) -> bool:
    tags = [tag.strip().removeprefix("W/") for tag in listed.split(",")]
    return "*" in tags or etag in tags


def _part(header: str, size: int) -> ByteRange | None:
    """The bytes that a Range header means; None for all: of several ranges, and of units not known here."""
    unit, _, ranges = header.partition("=")
    if unit.strip().lower() != "bytes" or "," in ranges:
        return None
    # No two neighbors of the pattern match the same characters: it takes time in proportion to the header.
    found = re.fullmatch(r"(\d{0,19})\s*-\s*(\d{0,19})", ranges.strip(), re.ASCII)
    if found is None or not any(found.groups()):
        raise HTTPException(
            400, f"Range {header[:80]!r} is none; write bytes=FIRST-LAST, bytes=FIRST- or bytes=-COUNT"
        )
    first, last = found.groups()
    start = int(first) if first else max(0, size - int(last))
    stop = min(size, int(last) + 1) if first and last else size
    if first and last and int(last) < start:
        raise HTTPException(400, f"Range {header[:80]!r} ends before it begins")
    if start >= size or (not first and not int(last)):
        raise HTTPException(416, f"the file has {size} bytes", headers={"Content-Range": f"bytes */{size}"})
    return ByteRange(start, stop - start)
