"""Places as users write and paste them, and their one form: a folder's path, or the URL of a store.

Nothing is looked up here, except that a path that exists is taken as it is.
"""

import os
import re
from pathlib import Path
from typing import cast
from urllib.parse import SplitResult, quote, unquote, urlsplit, urlunsplit

from turntable.datasets.stores.passwords import hide_password
from turntable.datasets.stores.registry import BUILTIN_SCHEMES
from turntable.errors import InvalidInputError, format_text, format_value
from turntable.home import expand_home

_KNOWN_FORMS = "a folder, https://host/my-set, s3://bucket/my-set or gs://bucket/my-set"
_BROKEN_URL = re.compile(rf"({'|'.join(BUILTIN_SCHEMES)}):(?!//)/?", re.IGNORECASE)
"""Beginning of a URL that lacks slashes, such as one that became a ``pathlib.Path``."""
_MANIFEST_ENDING = re.compile(r"/manifest\.json/*$")
_GALLERY_PAGE = re.compile(r"/?d/([^/]+)")
"""Beginning of the fragment of the gallery's pages of one data set."""
_GALLERY_FOLDER = re.compile(r"(/gallery)?/*(index\.html)?$")
"""Ending of the address of the gallery."""
_HUB_HOSTS = {"huggingface.co", "www.huggingface.co", "hf.co"}
_HUB_PAGE = re.compile(
    r"/datasets/([^/]+)/([^/]+)(?:/(?:tree|blob|resolve|raw|viewer)(?:/([^/]+)(/.*)?)?)?/*"
)
"""Path of a data set's pages on the Hugging Face hub: user, name, revision and folder."""


_URL_AS_PATH = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):/+(?:[^/@]*@)?([^?]*)")
"""A URL that became a path, or still is one: its scheme, and what is no secret of the rest."""


def restore_url(path: str | Path) -> str | None:
    """Return the URL that a path was made from, without password and query, or None if it was made from none.

    ``pathlib`` makes one slash of two: ``Path("s3://bucket/my-set")`` is "s3:/bucket/my-set".
    """
    match = _URL_AS_PATH.match(str(path))
    return None if match is None else f"{match[1]}://{match[2]}"


def is_url(path_or_url: str | Path) -> bool:
    """Return True if a path or URL is a URL: it contains ``://``, which no path does."""
    return "://" in str(path_or_url)


def normalize_place(path_or_url: object) -> str | Path:
    """Return a place in its one form: a Path with ``~`` expanded, or the text of a URL.

    The address of a page is understood as the data set that the page shows: a page of the gallery, a page of
    the Hugging Face hub, and the address of a ``manifest.json``.

    Raises:
        InvalidInputError: It is no place; the message does not repeat a password.
    """
    if not isinstance(path_or_url, str | os.PathLike):
        raise InvalidInputError(f"{format_value(path_or_url)} is no place; give {_KNOWN_FORMS}, as text")
    text = os.fspath(cast("str | os.PathLike[str]", path_or_url))
    _check_text(text)
    if not is_url(text):
        return expand_home(path_or_url if isinstance(path_or_url, Path) else text)
    return _normalize_url(text)


def _check_text(text: object) -> None:
    if not isinstance(text, str):
        raise InvalidInputError(f"{format_value(text)} is no place; give {_KNOWN_FORMS}, as text")
    shown = format_text(hide_password(text))
    if not text.strip():
        raise InvalidInputError(f"no place was given (an empty text); give {_KNOWN_FORMS}")
    if "\0" in text:
        raise InvalidInputError(f"{shown}: a place has no NUL character in it; type it again")
    beginning = _BROKEN_URL.match(text)
    if beginning is not None and not os.path.lexists(text):
        rest = shown[beginning.end() :].lstrip("/").removeprefix("…@")
        raise InvalidInputError(
            f"{shown}: a URL has two slashes: {beginning[1].lower()}://{rest} (as text: a pathlib.Path drops "
            "one)"
        )


def _normalize_url(url: str) -> str:
    # urlsplit drops line ends, and so reads another host: the store refuses such a URL.
    if not url.lower().startswith(("http://", "https://")) or not url.isprintable():
        return url
    try:
        parts = urlsplit(url)
    except ValueError:
        return url  # the store refuses it
    parts = parts._replace(path=_MANIFEST_ENDING.sub("", parts.path))
    page = _GALLERY_PAGE.match(parts.fragment)
    if page is not None:
        path = f"{_GALLERY_FOLDER.sub('', parts.path)}/datasets/{quote(unquote(page[1]))}"
        parts = parts._replace(path=path, fragment="")
    elif parts.fragment.strip("/") == "" or parts.path.endswith(("/gallery", "/gallery/")):
        parts = parts._replace(path=re.sub(r"/gallery/*$", "", parts.path), fragment="")
    return urlunsplit(_resolve_hub_page(parts))


def _resolve_hub_page(parts: SplitResult) -> SplitResult:
    """Return the address of the files that a page of the Hugging Face hub shows."""
    page = _HUB_PAGE.fullmatch(parts.path)
    if parts.hostname not in _HUB_HOSTS or page is None:
        return parts
    user, name, revision, folder = page.groups()
    path = f"/datasets/{user}/{name}/resolve/{revision or 'main'}{(folder or '').rstrip('/')}"
    return parts._replace(netloc=parts.netloc.replace("hf.co", "huggingface.co"), path=path)
