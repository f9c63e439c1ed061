"""Headers of a response that describe the requested file: its range, size and ETag."""

import re
from http import HTTPStatus
from typing import TYPE_CHECKING

from turntable.datasets.stores.retries import CHECK_URL_REMEDY, ResponseError

if TYPE_CHECKING:
    from turntable.datasets.stores.web.responses import WebResponse

_RANGE = re.compile(r"bytes ([0-9]{1,18})-([0-9]{1,18})/([0-9]{1,18})")
_E_TAG = re.compile(r'"[\x21\x23-\x7e]{0,200}"')
_MAX_SHOWN_LENGTH = 80
"""Characters of a header that a message quotes at most."""


def is_strong_e_tag(text: str) -> bool:
    """Return True if a text is a strong ETag, which promises equal bytes, and can be sent back safely."""
    return _E_TAG.fullmatch(text) is not None


def parse_content_range(response: "WebResponse") -> tuple[int, int, int]:
    """Return the first and last byte, and the size of the whole file, from the Content-Range header.

    Raises:
        ResponseError: The header is missing or malformed.
    """
    header = response.get_header("Content-Range")
    match = _RANGE.fullmatch(header)
    if not match:
        raise ResponseError(f"the server's Content-Range is {format_header(header)}")
    first, last, size = (int(number) for number in match.groups())
    return first, last, size


def get_file_size(response: "WebResponse") -> int:
    """Return the size of the whole file in bytes.

    Raises:
        ResponseError: The response does not state it.
    """
    if response.status == HTTPStatus.PARTIAL_CONTENT:
        return parse_content_range(response)[2]
    if response.content_length is None:
        raise ResponseError(
            f"the server does not say how long the file is (no Content-Length); {CHECK_URL_REMEDY}", False
        )
    return response.content_length


def get_strong_e_tag(response: "WebResponse") -> str:
    """Return the file's ETag, or "" if it is weak (it does not promise equal bytes) or malformed."""
    e_tag = response.get_header("ETag")
    return e_tag if is_strong_e_tag(e_tag) else ""


def format_header(header: str) -> str:
    """Return a header as a message quotes it: short, and with control characters escaped."""
    return repr(header[:_MAX_SHOWN_LENGTH])
