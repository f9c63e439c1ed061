"""Means to see that a reader gives a hostile server up."""

import tracemalloc
from contextlib import suppress

import pytest

from turntable.errors import RejectedResponseError, StoreError

MOST = 100_000
ENOUGH = 6 << 20
"""Bytes that a server gets rid of into buffers before it notices that nobody reads."""


def given_up(use, error=StoreError) -> str:
    """Return what the error says, which is short and fit for a terminal; little memory was needed."""
    tracemalloc.start()
    try:
        with pytest.raises(error) as caught:
            use()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    text = str(caught.value)
    assert text.isprintable()
    assert len(text) < 500
    assert peak < 4 << 20
    return text


def take(pieces) -> bytes:
    """Return the bytes that come of a download until it is given up."""
    came = bytearray()
    with suppress(RejectedResponseError):
        for piece in pieces:
            came += piece
    return bytes(came)
