"""What tests of those who read from a server with a token share."""

from collections.abc import Callable

import pytest

from turntable.errors import StoreError

WORD = "sesame-open"
"""A token."""


def refusal(use: Callable[[], object]) -> str:
    """What the error says that a call raises."""
    with pytest.raises(StoreError) as caught:
        use()
    return str(caught.value)
