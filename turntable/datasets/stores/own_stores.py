"""Stores of users' own: by the scheme of their URLs, registered or offered by installed packages."""

import re
from collections.abc import Callable

from turntable.datasets.stores.protocol import Store
from turntable.errors import InvalidInputError, shown
from turntable.own_code import load_offer, offers

GROUP = "turntable.stores"
"""The group of entry points in which a package offers its stores, each under its scheme."""
OWN_SCHEMES = ("file", "gs", "http", "https", "s3")
"""Those of turntable itself."""

_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*")

OpenStore = Callable[[str], Store]
"""From a URL to its store; nothing is read or written, and nobody is asked."""
_known: dict[str, OpenStore] = {}


def register_store(scheme: str, opener: OpenStore) -> None:
    """Let URLs of a scheme lead to a store of one's own, in this process.

    Other processes get the store itself. A package lets them find it by an entry point too, in the group
    ``turntable.stores``, with the scheme for its name.

    Args:
        scheme: Of the URLs, ``mine`` of ``mine://…``: letters, figures, ``+``, ``-`` and ``.``.
        opener: Called with the whole URL; it gives the store.

    Raises:
        InvalidInputError: Turntable has that scheme itself, or it is none.
    """
    if scheme in OWN_SCHEMES:
        raise InvalidInputError(f"turntable has stores of {scheme}:// itself; take another scheme")
    if not _SCHEME.fullmatch(scheme):
        raise InvalidInputError(f"{shown(scheme)!r} is no scheme of URLs; give one such as 'mine'")
    _known[scheme] = opener


def own_store(url: str, scheme: str) -> Store | None:
    """Open a store of a user's own; None where nobody has registered or offers one of that scheme.

    Raises:
        InvalidInputError: A package's code fails.
    """
    if scheme not in _known and (offered := offers(GROUP).get(scheme)) is not None:
        _known[scheme] = load_offer(offered, "store")
    return _known[scheme](url) if scheme in _known else None
