"""Registry of users' own stores, by the scheme of their URLs.

A store is registered in the process or offered by an installed package.
"""

import re
from collections.abc import Callable

from turntable.datasets.stores.protocol import Store
from turntable.errors import InvalidInputError, format_text
from turntable.user_code import list_entry_points, load_entry_point

ENTRY_POINT_GROUP = "turntable.stores"
"""Group of entry points in which packages offer stores, each under its scheme."""
BUILTIN_SCHEMES = ("file", "gs", "http", "https", "s3")
"""Schemes of turntable's own stores."""

_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*")

StoreOpener = Callable[[str], Store]
"""A function from a URL to its store. It must not read, write or connect."""
_store_openers: dict[str, StoreOpener] = {}
"""Openers registered in this process, by scheme."""


def register_store(scheme: str, opener: StoreOpener) -> None:
    """Register a store for the URLs of a scheme, in this process.

    Other processes receive the store itself, pickled. A package can also offer its store in every process, by
    an entry point in the group ``turntable.stores`` whose name is the scheme.

    Args:
        scheme: Scheme of the URLs, such as ``mine`` for ``mine://…``: letters, digits, ``+``, ``-`` and
            ``.``.
        opener: Function that receives the whole URL and returns the store.

    Raises:
        InvalidInputError: turntable uses the scheme itself, or it is not a scheme.
    """
    if scheme in BUILTIN_SCHEMES:
        raise InvalidInputError(f"turntable has its own stores for {scheme}://; choose another scheme")
    if not _SCHEME.fullmatch(scheme):
        raise InvalidInputError(f"{format_text(scheme)!r} is not a URL scheme; give one such as 'mine'")
    _store_openers[scheme] = opener


def find_registered_store(url: str, scheme: str) -> Store | None:
    """Return the store of a URL whose scheme a user registered or a package offers, or None.

    Raises:
        InvalidInputError: The package's code fails.
    """
    if (
        scheme not in _store_openers
        and (offered := list_entry_points(ENTRY_POINT_GROUP).get(scheme)) is not None
    ):
        _store_openers[scheme] = load_entry_point(offered, "store")
    return _store_openers[scheme](url) if scheme in _store_openers else None
