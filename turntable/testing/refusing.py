"""Refusals that a contract wants, and what is said where they do not come."""

import re
from collections.abc import Generator
from contextlib import contextmanager

import pytest


@contextmanager
def refused(wanted: str, error: type[Exception], match: str = "") -> Generator[None]:
    """Fail a test whose block does not raise an error.

    Args:
        wanted: By the contract; the message where it does not come.
        error: Of this kind.
        match: A regular expression that its message has.
    """
    try:
        yield
    except error as raised:
        if not re.search(match, str(raised)):
            pytest.fail(f"{wanted}\n(the message is {str(raised)!r}, and should have {match!r})")
    else:
        pytest.fail(f"{wanted}\n(nothing was raised, and {error.__name__} should be)")
