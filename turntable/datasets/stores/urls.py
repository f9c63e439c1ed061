"""Opening of a store from the path or URL that a user gave."""

from pathlib import Path
from urllib.parse import unquote, urlsplit

from turntable.datasets.stores.buckets import BucketStore
from turntable.datasets.stores.local import LocalStore
from turntable.datasets.stores.protocol import Store
from turntable.datasets.stores.registry import BUILTIN_SCHEMES, find_registered_store
from turntable.datasets.stores.web import HttpStore
from turntable.errors import InvalidInputError


def is_url(path_or_url: str | Path) -> bool:
    """Return True if a path or URL is a URL: it contains ``://``, which no path does."""
    return "://" in str(path_or_url)


def open_store(path_or_url: str | Path, token: str | None = None) -> Store:
    """Return the store at a path or URL. Nothing is read, written or requested before it is used.

    Args:
        path_or_url: A folder's path, "file:///data/my-set", "s3://bucket/my-set", "gs://bucket/my-set", a URL
            of a registered store (``register_store``), or, for reading only, "https://host/my-set". Keys,
            region and endpoint come from the environment (docs/stores.md).
        token: Token of a web server, sent to the URL's origin alone; None: that of TURNTABLE_TOKEN if
            TURNTABLE_TOKEN_HOST names this origin, or that of ``turntable login``.

    Raises:
        InvalidInputError: The URL is not of any store.
    """
    if not is_url(path_or_url):
        return LocalStore(Path(path_or_url))
    url = urlsplit(str(path_or_url))
    if url.scheme in ("http", "https"):
        return HttpStore(str(path_or_url), token)
    if (
        url.scheme not in BUILTIN_SCHEMES
        and (registered := find_registered_store(str(path_or_url), url.scheme)) is not None
    ):
        return registered
    if url.scheme != "file":
        return BucketStore(str(path_or_url))
    if url.netloc not in ("", "localhost") or not url.path:
        raise InvalidInputError(f"{path_or_url}: give a file URL with three slashes: file:///data/my-set")
    return LocalStore(Path(unquote(url.path)))
