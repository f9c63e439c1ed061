"""Answers of a server that means harm, as the bytes it sends: ``server.fail("endless")`` in a test.

What has no end here ends after 64 MB: a reader that takes all of it fails its test, and not the machine.
"""

import time
from collections.abc import Callable, Iterator
from itertools import chain, repeat

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n"
PART = b"HTTP/1.1 206 Partial Content\r\nContent-Type: application/octet-stream\r\n"
PIECE = bytes(1 << 16)
PIECES = 1024
DRIP_S = 0.02


def endless(head: bytes) -> Iterator[bytes]:
    return chain([head], repeat(PIECE, PIECES))


def chunks(head: bytes, size: int = 1 << 16, count: int = PIECES) -> Iterator[bytes]:
    return chain(
        [head + b"Transfer-Encoding: chunked\r\n\r\n"], repeat(b"%x\r\n%s\r\n" % (size, bytes(size)), count)
    )


def drip(head: bytes, what: bytes = b"x", count: int = 150) -> Iterator[bytes]:
    yield head
    for _ in range(count):
        time.sleep(DRIP_S)
        yield what


LINES = repeat(b"X-Line: " + bytes(1000).replace(b"\0", b"x") + b"\r\n", 64_000)
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
HOSTILE: dict[str, Callable[[], Iterator[bytes]]] = {
    "endless": lambda: endless(OK + b"\r\n"),
    "endless chunks": lambda: chunks(OK),
    "small chunks": lambda: chain([CHUNKED], repeat(b"1\r\nx\r\n" * 10_000, 1000)),
    "endless part": lambda: endless(PART + b"Content-Range: bytes 0-9/10\r\n\r\n"),
    "endless chunks of a part": lambda: chunks(PART + b"Content-Range: bytes 0-9/10\r\n"),
    "endless chunks of a rest": lambda: chunks(PART + b"Content-Range: bytes 5-9/10\r\n"),
    "long claim": lambda: endless(OK + b"Content-Length: 999999999999999\r\n\r\n"),
    "endless error": lambda: endless(b"HTTP/1.1 418 No\r\n\r\n"),
    "endless redirect": lambda: endless(b"HTTP/1.1 302 No\r\nLocation: /x\r\n\r\n"),
    "claim alone": lambda: iter([OK + b"Content-Length: 999999999\r\n\r\n"]),
    "a part unasked": lambda: iter([PART + b"Content-Range: bytes 0-1/10\r\nContent-Length: 2\r\n\r\nok"]),
    "endless refusal": lambda: endless(b"HTTP/1.1 403 No\r\nContent-Length: 99999999999\r\n\r\n"),
    "drip": lambda: drip(OK + b"Content-Length: 1000\r\n\r\n"),
    "drip of chunks": lambda: drip(CHUNKED, b"1\r\nx\r\n"),
    "drip of a header": lambda: drip(b"HTTP/1.1 200 OK\r\nX: "),
    "drip of headers": lambda: drip(b"HTTP/1.1 200 OK\r\n", b"X: x\r\n", 90),
    "long header": lambda: iter([OK + b"X: " + b"x" * 1_000_000 + b"\r\nContent-Length: 2\r\n\r\nok"]),
    "many headers": lambda: iter([OK + b"X: x\r\n" * 10_000 + b"Content-Length: 2\r\n\r\nok"]),
    "headers of 6 MB": lambda: chain([OK], repeat(b"X: " + b"x" * 60_000 + b"\r\n", 99), [b"\r\nok"]),
    "endless headers": lambda: chain([OK], LINES),
    "endless continue": lambda: chain(repeat(b"HTTP/1.1 100 Continue\r\n\r\n" * 1000, 2000)),
    "endless trailers": lambda: chain([CHUNKED + b"2\r\nok\r\n0\r\n"], LINES),
    "endless chunk size": lambda: chain([CHUNKED], repeat(b"0" * 65_536, PIECES)),
    "chunk of size -1": lambda: chain([CHUNKED + b"-1\r\n"], repeat(PIECE, PIECES)),
    "chunk of size -5": lambda: chain([CHUNKED + b"-5\r\n"], repeat(PIECE, 2)),
    "two lengths in one": lambda: endless(OK + b"Content-Length: 0, 0\r\n\r\n"),
    "odd status": lambda: iter([b"HTTP/1.1 \x1b[31m" + b"9" * 60_000 + b"\r\n\r\n"]),
    "odd range": lambda: iter(
        [PART + b"Content-Range: bytes \x1b[31m" + b"9" * 60_000 + b"\r\nContent-Length: 2\r\n\r\nok"]
    ),
    "odd length": lambda: iter([OK + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\nok"]),
    "odd coding": lambda: iter(
        [OK + b"Content-Encoding: \x1b[31m" + b"z" * 60_000 + b"\r\nContent-Length: 2\r\n\r\nok"]
    ),
    "odd header": lambda: iter([OK + b"no colon here\r\nContent-Length: 2\r\n\r\nok"]),
}
