"""Opening of a store from the path or URL that a user gave."""

from pathlib import Path
from urllib.parse import unquote, urlsplit

from turntable.datasets.stores.buckets import BucketStore
from turntable.datasets.stores.local import LocalStore
from turntable.datasets.stores.passwords import hide_password
from turntable.datasets.stores.places import normalize_place
from turntable.datasets.stores.protocol import Store
from turntable.datasets.stores.registry import BUILTIN_SCHEMES, find_registered_store
from turntable.datasets.stores.web import HttpStore
from turntable.errors import InvalidInputError, format_text


def open_store(path_or_url: str | Path, token: str | None = None) -> Store:
    """Return the store at a path or URL. Nothing is read, written or requested before it is used.

    Args:
        path_or_url: A folder's path, "file:///data/my-set", "s3://bucket/my-set", "gs://bucket/my-set", a URL
            of a registered store (``register_store``), or, for reading only, "https://host/my-set" or the
            address of a page that shows the data set. Keys, region and endpoint come from the environment
            (docs/stores.md).
        token: Token of a web server, sent to the URL's origin alone; None: the password of the URL, the token
            of TURNTABLE_TOKEN if TURNTABLE_TOKEN_HOST names this origin, that of ``turntable login``, or the
            password of the user's netrc file.

    Raises:
        InvalidInputError: The URL is not of any store.
    """
    place = normalize_place(path_or_url)
    if isinstance(place, Path):
        return LocalStore(place)
    scheme = place.partition("://")[0].lower()
    if scheme in ("http", "https"):
        return HttpStore(place, token)
    if scheme not in BUILTIN_SCHEMES and (registered := find_registered_store(place, scheme)) is not None:
        return registered
    return _open_folder_url(place) if scheme == "file" else BucketStore(place)


def _open_folder_url(text: str) -> LocalStore:
    try:
        url = urlsplit(text)
    except ValueError:
        url = urlsplit("")
    if url.netloc not in ("", "localhost") or not url.path:
        raise InvalidInputError(
            f"{format_text(hide_password(text))}: give a file URL with three slashes: file:///data/my-set"
        )
    return LocalStore(Path(unquote(url.path)))
