"""A store from what a user typed."""

from pathlib import Path
from urllib.parse import unquote, urlsplit

from turntable.datasets.stores.buckets import ObjectStore
from turntable.datasets.stores.local import LocalStore
from turntable.datasets.stores.own_stores import OWN_SCHEMES, own_store
from turntable.datasets.stores.protocol import Store
from turntable.datasets.stores.web import HttpStore
from turntable.errors import InvalidInputError


def is_url(place: str | Path) -> bool:
    """Whether a place is meant as a URL: it has ``://``, which a path has not."""
    return "://" in str(place)


def open_store(place: str | Path, token: str | None = None) -> Store:
    """The store at a place; nothing is read or written, and nobody is asked, before it is used.

    Args:
        place: a folder's path, "file:///data/my-set", "s3://bucket/my-set", "gs://bucket/my-set", or, only to
            read, "https://host/my-set"; or a URL of a store of one's own (``register_store``). Keys, region
            and endpoint come from the environment (docs/stores.md).
        token: of a web server, for the URL's origin alone; None: that of TURNTABLE_TOKEN where
            TURNTABLE_TOKEN_HOST names this origin, or that of ``turntable login``.

    Raises:
        InvalidInputError: It is a URL of something else.
    """
    if not is_url(place):
        return LocalStore(Path(place))
    url = urlsplit(str(place))
    if url.scheme in ("http", "https"):
        return HttpStore(str(place), token)
    if url.scheme not in OWN_SCHEMES and (own := own_store(str(place), url.scheme)) is not None:
        return own
    if url.scheme != "file":
        return ObjectStore(str(place))
    if url.netloc not in ("", "localhost") or not url.path:
        raise InvalidInputError(f"{place}: give a file URL with three slashes: file:///data/my-set")
    return LocalStore(Path(unquote(url.path)))
