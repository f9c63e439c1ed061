"""A bucket, or a folder of one, as a store: S3 and what speaks its language, and Google Cloud Storage.

obstore (https://developmentseed.org/obstore) carries the requests, and tries them again after 5xx, 429,
time-outs and lost connections; answers cut in their midst are tried again here.
"""

import hashlib
import io
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from itertools import chain, islice
from pathlib import Path
from typing import Any, BinaryIO, TypeVar
from urllib.parse import urlsplit

from turntable.datasets.files import checked_name
from turntable.datasets.stores.buckets.aws_profile import profile_settings
from turntable.datasets.stores.buckets.refusals import is_absent, is_behind_the_end, may_pass, store_error
from turntable.datasets.stores.patience import FIRST_PAUSE_S, LONGEST_PAUSE_S, pauses
from turntable.datasets.stores.protocol import PROBE, PROBE_NAME, Download, too_long
from turntable.errors import (
    GivenUpError,
    IntegrityError,
    InvalidInputError,
    MissingExtraError,
    StoreError,
    TurntableError,
)

PART_BYTES = 8 << 20
"""A larger file comes in parts of this size."""
_PARALLEL_PARTS = 4
_PIECE_BYTES = 1 << 20
"""Of a download, at least."""
_DIGEST = "sha256"
"""The attribute of an object that holds its hex digest (S3: ``x-amz-meta-sha256``)."""
MOST_LISTED = 1_000_000
"""Names that are taken of a listing; a store that says again and again that there are more has no end."""
MEMORY = "memory://"
_SCHEMES = ("s3", "gs")
_TIMEOUTS = {"connect_timeout": "5s", "timeout": "120s"}
_PATIENT, _HASTY = 10, 3
"""Retries of one request in the midst of a run, and at its beginning, when somebody is looking."""

_T = TypeVar("_T")


class _Fork:
    """obstore's threads do not live on in a forked child: its first request there would wait for ever."""

    used = lost = False


os.register_at_fork(after_in_child=lambda: setattr(_Fork, "lost", _Fork.used))


@dataclass(frozen=True, slots=True)
class _Content:
    """What an object is to hold."""

    sha256: str
    parts: int
    """In which it is sent."""
    e_tag: str
    """As S3 makes it: of the MD5 digest, or of those of the parts. A server may make it otherwise."""


class ObjectStore:
    """Objects under a URL. Pickled it is the URL and the options; keys of the environment stay in it.

    Args:
        url: "s3://bucket/my-set", "gs://bucket/my-set", or "memory://" (for tests: every such store is empty
            at first, and so is its pickled copy).
        options: obstore's own settings of such a store, by its names ("region", "endpoint"), before those of
            the environment.

    Raises:
        InvalidInputError: the URL is of something else, or has keys in it.
        MissingExtraError: obstore is not installed.
    """

    def __init__(self, url: str, options: Mapping[str, str] | None = None) -> None:
        _obstore()
        self.url = _checked_url(url)
        self._options = dict(options or {})
        self._opened: Any = None

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.url, self._options)

    def __repr__(self) -> str:
        return f"ObjectStore({self.url!r})"

    def read(self, name: str, most_bytes: int) -> bytes | None:
        """Return a whole small object; None where there is none."""

        def fetch(path: str) -> bytes:
            found = _obstore().get(self._client(), path)
            if int(found.meta["size"]) > most_bytes:
                raise too_long(self._place(name), most_bytes)
            held = io.BytesIO()
            held.writelines(_bounded(found, most_bytes, too_long(self._place(name), most_bytes)))
            return held.getvalue()

        return self._found(name, fetch)

    def read_range(self, name: str, offset: int, size: int) -> bytes:
        """Some bytes of an object, by one request."""

        def fetch(path: str) -> bytes:
            try:
                return bytes(_obstore().get_range(self._client(), path, start=offset, length=size))
            except Exception as error:
                if is_behind_the_end(error):
                    return b""
                raise

        data = self._found(name, fetch) if size else b""
        if data is None:
            raise StoreError(f"{self._place(name)}: missing")
        return data

    def download(self, name: str, offset: int = 0, e_tag: str = "") -> Download:
        """An object from an offset on, where it is still the one with that ETag."""
        wanted = {"range": {"offset": offset}} | ({"if_match": e_tag} if e_tag else {})

        def begin(path: str) -> Any:
            obstore = _obstore()
            if offset:
                try:
                    return obstore.get(self._client(), path, options=wanted)
                except obstore.exceptions.PreconditionError:
                    pass  # it is another one now
                except Exception as error:
                    if not is_behind_the_end(error):
                        raise
            return obstore.get(self._client(), path)

        found = self._found(name, begin)
        if found is None:
            raise StoreError(f"{self._place(name)}: missing")
        size, start = int(found.meta["size"]), int(found.range[0])
        return Download(size, start, found.meta["e_tag"] or "", self._pieces(name, found, size - start))

    def _pieces(self, name: str, found: Any, left: int) -> Iterator[bytes]:
        try:
            more = GivenUpError(f"{self._place(name)}: the store sends more bytes than it stated")
            yield from _bounded(found, left, more)
        except TurntableError:
            raise
        except Exception as error:
            raise store_error(self._place(name), error) from None

    def size(self, name: str) -> int | None:
        """Bytes of an object; None where there is none."""
        return self._found(name, lambda path: int(_obstore().head(self._client(), path)["size"]))

    def sha256(self, name: str) -> str | None:
        """Hex digest: the object's attribute, or, where it came without one, by reading it."""

        def noted(path: str) -> str:
            return _obstore().get(self._client(), path, options={"head": True}).attributes.get(_DIGEST, "")

        found = self._found(name, noted)
        return self._content_sha256(name) if found == "" else found

    def write(self, name: str, data: bytes) -> None:
        """Write a small object by one request."""
        self._deliver(name, data, _content_of(io.BytesIO(data), len(data) + 1))

    def upload(self, name: str, path: Path, sha256: str) -> None:
        """Bring a file, in parts where it is large, with its digest as an attribute.

        The store's own checksum of it is compared with the file's; where that is of a kind that cannot be
        compared, the object is read back.
        """
        checked_name(name)
        with path.open("rb") as file:
            content = _content_of(file, PART_BYTES)
        if content.sha256 != sha256:
            raise IntegrityError(f"{path}: not what was written (another sha256); make it again")
        self._deliver(name, path, content)

    def list(self, folder: str = "") -> tuple[str, ...]:
        """Names of all objects in a folder."""
        prefix = checked_name(folder) if folder else None

        def names() -> Iterable[str]:
            parts = _obstore().list(self._client(), prefix=prefix)
            found = [str(item["path"]) for item in islice(chain.from_iterable(parts), MOST_LISTED + 1)]
            if len(found) > MOST_LISTED:
                raise GivenUpError(
                    f"{self._place(folder)}: more than {MOST_LISTED:,} objects, which no data set has; look "
                    "whether this is the right place"
                )
            return found

        return tuple(sorted(self._patiently(folder, names)))

    def delete(self, name: str) -> None:
        """Remove an object, if it is there."""
        self._found(name, lambda path: _obstore().delete(self._client(), path))

    def check_writable(self, expected_bytes: int = 0) -> None:
        """Write, read, list and remove a small object. What room there is, no object store tells."""
        del expected_bytes
        hasty = type(self)(self.url, self._options)
        hasty._opened = hasty._open(_HASTY)
        # In a folder of its own: a listing of all objects could be long.
        name = f"{PROBE_NAME}/{PROBE_NAME}"
        hasty.write(name, PROBE)
        if hasty.read(name, 2 * len(PROBE)) != PROBE or name not in hasty.list(PROBE_NAME):
            raise StoreError(
                f"{self.url}: what was just written is not found there; it cannot hold a data set"
            )
        hasty.delete(name)

    def _deliver(self, name: str, source: bytes | Path, content: _Content) -> None:
        """Put an object, and make sure that it is what it should be."""
        path = checked_name(name)
        wrong = f"{self._place(name)}: the store gives back other bytes than were sent"
        for pause in pauses():
            try:
                e_tag = _obstore().put(
                    self._client(),
                    path,
                    source,
                    attributes={_DIGEST: content.sha256},
                    use_multipart=content.parts > 1,
                    chunk_size=PART_BYTES,
                    max_concurrency=_PARALLEL_PARTS,
                )["e_tag"]
            except TurntableError:
                raise
            except Exception as error:
                if not may_pass(error):
                    raise store_error(self._place(name), error) from None
                failure, e_tag = store_error(self._place(name), error), None
            else:
                failure = IntegrityError(wrong)
            # Where the answer was lost, the work may be done.
            if (e_tag or "").strip('"') == content.e_tag or self._content_sha256(name) == content.sha256:
                return
            if pause is None:
                raise failure
            time.sleep(pause)

    def _content_sha256(self, name: str) -> str | None:
        """Hex digest of what is read back."""

        def digest(path: str) -> str:
            hashed = hashlib.sha256()
            for piece in _obstore().get(self._client(), path).stream(min_chunk_size=PART_BYTES):
                hashed.update(piece)
            return hashed.hexdigest()

        return self._found(name, digest)

    def _found(self, name: str, call: Callable[[str], _T]) -> _T | None:
        """The call's answer; None where there is no such object."""
        path = checked_name(name)

        def ask() -> _T | None:
            try:
                return call(path)
            except FileNotFoundError as error:
                if is_absent(error):
                    return None
                raise

        return self._patiently(name, ask)

    def _patiently(self, name: str, call: Callable[[], _T]) -> _T:
        """The call's answer, which may be asked for several times."""
        for pause in pauses():
            try:
                return call()
            except TurntableError:
                raise
            except Exception as error:  # obstore's errors are of many kinds
                if pause is None or not may_pass(error):
                    # Not `from error`: its text may quote a signed request.
                    raise store_error(self._place(name), error) from None
                time.sleep(pause)
        raise AssertionError("the last pause is None")

    def _place(self, name: str) -> str:
        return f"{self.url}/{name}" if name else self.url

    def _client(self) -> Any:
        """The connection, made in the process that uses it."""
        if _Fork.lost:
            raise StoreError(
                f"{self.url}: this process was forked from one that had used an object store, and cannot; "
                "start processes by 'spawn' or 'forkserver'"
            )
        if self._opened is None:
            self._opened = self._open(_PATIENT)
        return self._opened

    def _open(self, retries: int) -> Any:
        _Fork.used = True
        if self.url == MEMORY:
            return _obstore().store.MemoryStore()
        settings = _settings(self.url, self._options)
        backoff = {
            "init_backoff": timedelta(seconds=FIRST_PAUSE_S),
            "max_backoff": timedelta(seconds=LONGEST_PAUSE_S),
            "base": 2,
        }
        try:
            return _obstore().store.from_url(
                self.url,
                config=settings,
                client_options={**_TIMEOUTS, "allow_http": _allows_http()},
                retry_config={"max_retries": retries, "backoff": backoff},
            )
        except Exception as error:
            raise store_error(self.url, error) from None


def _bounded(found: Any, most_bytes: int, error: GivenUpError) -> Iterator[bytes]:
    """An object's pieces, up to so many bytes; the error where there are more."""
    for piece in found.stream(min_chunk_size=_PIECE_BYTES):
        most_bytes -= len(piece)
        if most_bytes < 0:
            raise error
        yield bytes(piece)


def _obstore() -> Any:
    try:
        import obstore
    except ImportError as error:
        raise MissingExtraError("obstore", "render") from error
    # Untyped: its overloads want a literal type for the settings of each provider.
    return obstore


def _checked_url(text: str) -> str:
    """The URL without a slash at its end."""
    if text == MEMORY:
        return text
    url = urlsplit(text)
    if "@" in url.netloc:
        raise InvalidInputError(
            f"{url.scheme}://…@…: keys do not belong in a URL, which is logged; set them in the environment"
        )
    path = url.path.strip("/")
    if url.scheme not in _SCHEMES or not url.netloc or url.query or url.fragment:
        raise InvalidInputError(f"{text}: give a folder, s3://bucket/folder or gs://bucket/folder")
    return f"{url.scheme}://{url.netloc}" + (f"/{checked_name(path)}" if path else "")


def _settings(url: str, options: Mapping[str, str]) -> dict[str, str]:
    """The options, with what obstore does not find in the environment by itself."""
    if not url.startswith("s3://"):
        return dict(options)
    # One request an object, which is tried again where the answer to many in one would not be.
    settings = {"disable_bulk_delete": "true"} | profile_settings(os.environ) | dict(options)
    endpoint = settings.get("endpoint") or os.environ.get("AWS_ENDPOINT_URL", "")
    if endpoint.startswith("http://") and not _allows_http():
        raise StoreError(
            f"{url}: {endpoint} is not encrypted; give an https endpoint, or set AWS_ALLOW_HTTP=true"
        )
    return settings


def _allows_http() -> bool:
    said = (os.environ.get(f"{provider}_ALLOW_HTTP", "") for provider in ("AWS", "GOOGLE"))
    return any(value.lower() in ("true", "1") for value in said)


def _content_of(file: BinaryIO, part_bytes: int) -> _Content:
    """Read a file once, in the parts in which it is sent."""
    whole, size = hashlib.sha256(), 0
    parts: list[bytes] = []
    while part := file.read(part_bytes):
        whole.update(part)
        size += len(part)
        # The protocol's own checksum, no protection.
        parts.append(hashlib.md5(part, usedforsecurity=False).digest())
    if len(parts) > 1:
        e_tag = f"{hashlib.md5(b''.join(parts), usedforsecurity=False).hexdigest()}-{len(parts)}"
    else:
        e_tag = (parts or [hashlib.md5(b"", usedforsecurity=False).digest()])[0].hex()
    return _Content(whole.hexdigest(), len(parts), e_tag)
