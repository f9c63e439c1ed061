"""A store in a bucket or a folder of one: S3 and compatible object stores, and Google Cloud Storage.

obstore (https://developmentseed.org/obstore) sends the requests. It retries after 5xx, 429, time-outs and
lost connections; responses that break off in the middle are retried here.
"""

import hashlib
import io
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import timedelta
from itertools import chain, islice
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from turntable.datasets.files import check_file_name
from turntable.datasets.stores.buckets.aws_profile import read_profile_settings
from turntable.datasets.stores.buckets.errors import is_missing, is_past_end, is_transient, make_store_error
from turntable.datasets.stores.buckets.upload_content import UploadContent, read_upload_content
from turntable.datasets.stores.passwords import hide_password
from turntable.datasets.stores.protocol import PROBE_BYTES, PROBE_NAME, Download, make_too_long_error
from turntable.datasets.stores.retries import FIRST_PAUSE_S, MAX_PAUSE_S, iter_pauses
from turntable.errors import (
    IntegrityError,
    InvalidInputError,
    RejectedResponseError,
    StoreError,
    TurntableError,
    format_text,
)
from turntable.extras import explain_import_errors

PART_BYTES = 8 << 20
"""Size of a part of an upload. Larger files are sent in several parts."""
_MAX_PARALLEL_PARTS = 4
_PIECE_BYTES = 1 << 20
"""Smallest size of a download's pieces."""
_DIGEST_ATTRIBUTE = "sha256"
"""Attribute of an object that holds its hex digest (S3: ``x-amz-meta-sha256``)."""
MAX_LISTED = 1_000_000
"""Number of names accepted from a listing. A faulty store could always announce more."""
MEMORY_URL = "memory://"
"""URL of an empty store in memory, for tests."""
_SCHEMES = ("s3", "gs")
_TIMEOUTS = {"connect_timeout": "5s", "timeout": "120s"}
_NUM_RETRIES, _NUM_PROBE_RETRIES = 10, 3
"""Retries of one request during a run, and before it starts, when a user waits for the result."""

_T = TypeVar("_T")


class _ForkState:
    """The use of obstore in this process and its parents.

    obstore's threads do not survive a fork: the first request in a forked child would wait for ever.
    """

    used = lost = False


os.register_at_fork(after_in_child=lambda: setattr(_ForkState, "lost", _ForkState.used))


class BucketStore:
    """A store of the objects under a URL.

    It is pickled as its URL and options. Keys in the environment are not pickled.

    Args:
        url: "s3://bucket/my-set", "gs://bucket/my-set", or "memory://" (for tests: every such store starts
            empty, and so does its pickled copy).
        options: Settings of obstore by its own names ("region", "endpoint"). They take precedence over the
            environment.

    Raises:
        InvalidInputError: The URL is of another store, or contains keys.
        MissingExtraError: obstore is not installed.
    """

    def __init__(self, url: str, options: Mapping[str, str] | None = None) -> None:
        _import_obstore()
        self.url = _parse_url(url)
        self._options = dict(options or {})
        self._client: Any = None

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.url, self._options)

    def __repr__(self) -> str:
        return f"BucketStore({self.url!r})"

    def read(self, name: str, max_bytes: int) -> bytes | None:
        """Return the bytes of a small object, or None if it is missing."""

        def fetch(path: str) -> bytes:
            response = _import_obstore().get(self._get_client(), path)
            if int(response.meta["size"]) > max_bytes:
                raise make_too_long_error(self._format_location(name), max_bytes)
            content = io.BytesIO()
            content.writelines(
                _iter_bounded(
                    response, max_bytes, make_too_long_error(self._format_location(name), max_bytes)
                )
            )
            return content.getvalue()

        return self._call_if_found(name, fetch)

    def read_range(self, name: str, offset: int, size: int) -> bytes:
        """Return ``size`` bytes of an object from an offset, by one request."""

        def fetch(path: str) -> bytes:
            try:
                return bytes(_import_obstore().get_range(self._get_client(), path, start=offset, length=size))
            except Exception as error:
                if is_past_end(error):
                    return b""
                raise

        data = self._call_if_found(name, fetch) if size else b""
        if data is None:
            raise StoreError(f"{self._format_location(name)}: missing")
        return data

    def download(self, name: str, offset: int = 0, e_tag: str = "") -> Download:
        """Return an object in pieces from an offset on, or from its start if its ETag has changed."""
        options = {"range": {"offset": offset}} | ({"if_match": e_tag} if e_tag else {})

        def open_response(path: str) -> Any:
            obstore = _import_obstore()
            if offset:
                try:
                    return obstore.get(self._get_client(), path, options=options)
                except obstore.exceptions.PreconditionError:
                    pass  # the object has changed: fetch all of it
                except Exception as error:
                    if not is_past_end(error):
                        raise
            return obstore.get(self._get_client(), path)

        response = self._call_if_found(name, open_response)
        if response is None:
            raise StoreError(f"{self._format_location(name)}: missing")
        size, start = int(response.meta["size"]), int(response.range[0])
        return Download(
            size, start, response.meta["e_tag"] or "", self._iter_pieces(name, response, size - start)
        )

    def _iter_pieces(self, name: str, response: Any, max_bytes: int) -> Iterator[bytes]:
        try:
            too_long = RejectedResponseError(
                f"{self._format_location(name)}: the store sends more bytes than it stated"
            )
            yield from _iter_bounded(response, max_bytes, too_long)
        except TurntableError:
            raise
        except Exception as error:
            raise make_store_error(self._format_location(name), error) from None

    def get_size(self, name: str) -> int | None:
        """Return the size of an object in bytes, or None if it is missing."""
        return self._call_if_found(
            name, lambda path: int(_import_obstore().head(self._get_client(), path)["size"])
        )

    def get_sha256(self, name: str) -> str | None:
        """Return the hex sha256 of an object, or None if it is missing.

        It is the object's attribute. An object that was uploaded without one is read.
        """

        def read_attribute(path: str) -> str:
            return (
                _import_obstore()
                .get(self._get_client(), path, options={"head": True})
                .attributes.get(_DIGEST_ATTRIBUTE, "")
            )

        digest = self._call_if_found(name, read_attribute)
        return self._compute_content_sha256(name) if digest == "" else digest

    def write(self, name: str, data: bytes) -> None:
        """Write a small object by one request."""
        self._put(name, data, read_upload_content(io.BytesIO(data), len(data) + 1))

    def upload(self, name: str, path: Path, sha256: str) -> None:
        """Upload a file, in parts if it is large, with its digest as an attribute.

        The store's own checksum of the object is compared with the file's. If it is of a kind that cannot be
        compared, the object is read back.
        """
        check_file_name(name)
        with path.open("rb") as file:
            content = read_upload_content(file, PART_BYTES)
        if content.sha256 != sha256:
            raise IntegrityError(f"{path}: not what was written (another sha256); make it again")
        self._put(name, path, content)

    def list(self, folder: str = "") -> tuple[str, ...]:
        """Return the sorted names of all objects in a folder and below it."""
        prefix = check_file_name(folder) if folder else None

        def list_paths() -> Iterable[str]:
            pages = _import_obstore().list(self._get_client(), prefix=prefix)
            paths = [str(item["path"]) for item in islice(chain.from_iterable(pages), MAX_LISTED + 1)]
            if len(paths) > MAX_LISTED:
                raise RejectedResponseError(
                    f"{self._format_location(folder)}: more than {MAX_LISTED:,} objects, which no data set "
                    "has; check that the URL is right"
                )
            return paths

        return tuple(sorted(self._call_with_retries(folder, list_paths)))

    def delete(self, name: str) -> None:
        """Remove an object if it exists."""
        self._call_if_found(name, lambda path: _import_obstore().delete(self._get_client(), path))

    def check_writable(self, expected_bytes: int = 0) -> None:
        """Write, read, list and remove a small object. The free space of an object store cannot be known."""
        del expected_bytes
        probe = type(self)(self.url, self._options)
        probe._client = probe._open_client(_NUM_PROBE_RETRIES)
        # The object lies in a folder of its own, since listing all objects could take long.
        name = f"{PROBE_NAME}/{PROBE_NAME}"
        probe.write(name, PROBE_BYTES)
        if probe.read(name, 2 * len(PROBE_BYTES)) != PROBE_BYTES or name not in probe.list(PROBE_NAME):
            raise StoreError(
                f"{self.url}: an object that was just written cannot be read or listed; choose "
                "another place for the data set"
            )
        probe.delete(name)

    def _put(self, name: str, source: bytes | Path, content: UploadContent) -> None:
        """Put an object, and make sure that the store holds what was sent."""
        path = check_file_name(name)
        mismatch = f"{self._format_location(name)}: the store gives back other bytes than were sent"
        for pause in iter_pauses():
            try:
                e_tag = _import_obstore().put(
                    self._get_client(),
                    path,
                    source,
                    attributes={_DIGEST_ATTRIBUTE: content.sha256},
                    use_multipart=content.num_parts > 1,
                    chunk_size=PART_BYTES,
                    max_concurrency=_MAX_PARALLEL_PARTS,
                )["e_tag"]
            except TurntableError:
                raise
            except Exception as error:
                if not is_transient(error):
                    raise make_store_error(self._format_location(name), error) from None
                failure, e_tag = make_store_error(self._format_location(name), error), None
            else:
                failure = IntegrityError(mismatch)
            # Also after a failure: if only the response was lost, the object has arrived.
            # The ETag of S3 proves that the object is right. Other stores have other ETags: read it back.
            has_e_tag = (e_tag or "").strip('"') == content.e_tag
            if has_e_tag or self._compute_content_sha256(name) == content.sha256:
                return
            if pause is None:
                raise failure
            time.sleep(pause)

    def _compute_content_sha256(self, name: str) -> str | None:
        """Return the hex digest of an object, which is read for it, or None if it is missing."""

        def read_digest(path: str) -> str:
            sha256 = hashlib.sha256()
            for piece in _import_obstore().get(self._get_client(), path).stream(min_chunk_size=PART_BYTES):
                sha256.update(piece)
            return sha256.hexdigest()

        return self._call_if_found(name, read_digest)

    def _call_if_found(self, name: str, call: Callable[[str], _T]) -> _T | None:
        """Return the result of a call with an object's path, or None if the object is missing."""
        path = check_file_name(name)

        def call_once() -> _T | None:
            try:
                return call(path)
            except FileNotFoundError as error:
                if is_missing(error):
                    return None
                raise

        return self._call_with_retries(name, call_once)

    def _call_with_retries(self, name: str, call: Callable[[], _T]) -> _T:
        """Return the result of a call, which is retried after errors that may pass."""
        for pause in iter_pauses():
            try:
                return call()
            except TurntableError:
                raise
            except Exception as error:  # obstore's errors have no common base
                if pause is None or not is_transient(error):
                    # "from None": the text of obstore's error may quote a signed request.
                    raise make_store_error(self._format_location(name), error) from None
                time.sleep(pause)
        raise AssertionError("the last pause is None")

    def _format_location(self, name: str) -> str:
        return f"{self.url}/{name}" if name else self.url

    def _get_client(self) -> Any:
        """Return this process's obstore client, which is created at the first call."""
        if _ForkState.lost:
            raise StoreError(
                f"{self.url}: this process was forked from one that had used an object store, and cannot use "
                "one; start processes by 'spawn' or 'forkserver'"
            )
        if self._client is None:
            self._client = self._open_client(_NUM_RETRIES)
        return self._client

    def _open_client(self, num_retries: int) -> Any:
        _ForkState.used = True
        if self.url == MEMORY_URL:
            return _import_obstore().store.MemoryStore()
        settings = _build_settings(self.url, self._options)
        backoff = {
            "init_backoff": timedelta(seconds=FIRST_PAUSE_S),
            "max_backoff": timedelta(seconds=MAX_PAUSE_S),
            "base": 2,
        }
        try:
            return _import_obstore().store.from_url(
                self.url,
                config=settings,
                client_options={**_TIMEOUTS, "allow_http": _is_http_allowed()},
                retry_config={"max_retries": num_retries, "backoff": backoff},
            )
        except Exception as error:
            raise make_store_error(self.url, error) from None


def _iter_bounded(response: Any, max_bytes: int, error: RejectedResponseError) -> Iterator[bytes]:
    """Yield an object's pieces, and raise the error if they have more than ``max_bytes``."""
    for piece in response.stream(min_chunk_size=_PIECE_BYTES):
        max_bytes -= len(piece)
        if max_bytes < 0:
            raise error
        yield bytes(piece)


def _import_obstore() -> Any:
    with explain_import_errors("obstore"):
        import obstore
    # Returned as Any: obstore's overloads need a literal type for the settings of each provider.
    return obstore


def _parse_url(text: str) -> str:
    """Return a URL without a slash at its end, or refuse it."""
    if text == MEMORY_URL:
        return text
    shown = format_text(hide_password(text))
    host = text.partition("://")[2].partition("/")[0]
    if "@" in host or (":" in host and "@" in text):  # a key may hold slashes
        raise InvalidInputError(
            f"{shown}: keys do not belong in a URL, which is logged; set them in the environment"
        )
    try:
        url = urlsplit(text)
    except ValueError:
        url = urlsplit("")
    path = url.path.strip("/")
    if url.scheme not in _SCHEMES or not url.netloc or url.query or url.fragment:
        raise InvalidInputError(
            f"{shown}: give a folder, s3://bucket/folder, gs://bucket/folder or https://host/folder"
        )
    return f"{url.scheme}://{url.netloc}" + (f"/{check_file_name(path)}" if path else "")


def _build_settings(url: str, options: Mapping[str, str]) -> dict[str, str]:
    """Return the options together with what obstore does not find in the environment by itself."""
    if not url.startswith("s3://"):
        return dict(options)
    # With bulk deletion off, each object is deleted by one request. It is retried if it fails, which a single
    # object of a bulk request would not be.
    settings = {"disable_bulk_delete": "true"} | read_profile_settings(os.environ) | dict(options)
    endpoint = settings.get("endpoint") or os.environ.get("AWS_ENDPOINT_URL", "")
    if endpoint.startswith("http://") and not _is_http_allowed():
        raise StoreError(
            f"{url}: {endpoint} is not encrypted; give an https endpoint, or set AWS_ALLOW_HTTP=true"
        )
    return settings


def _is_http_allowed() -> bool:
    settings = (os.environ.get(f"{provider}_ALLOW_HTTP", "") for provider in ("AWS", "GOOGLE"))
    return any(value.lower() in ("true", "1") for value in settings)
