"""A context manager for errors that a contract expects."""

import re
from collections.abc import Generator
from contextlib import contextmanager

import pytest


@contextmanager
def expect_error(rule: str, error: type[Exception], match: str = "") -> Generator[None]:
    """Fail the test unless the block raises an error.

    Unlike ``pytest.raises`` it names the rule of the contract that is broken.

    Args:
        rule: Rule of the contract, which is the message of the failed test.
        error: Class of the error.
        match: Regular expression to find in the error's message.
    """
    try:
        yield
    except error as raised:
        if not re.search(match, str(raised)):
            pytest.fail(f"{rule}\n(the message is {str(raised)!r}, but should match {match!r})")
    else:
        pytest.fail(f"{rule}\n({error.__name__} should have been raised, but nothing was)")
