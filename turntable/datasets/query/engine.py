"""DuckDB, for what strangers may ask: it reaches one file or none, and its memory is bounded.

Its time is not: a single step of it cannot be interrupted. So it runs in a process that can be killed.
"""

import re
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from turntable.errors import MissingExtraError

MOST_MEMORY = "1GB"
MOST_THREADS = 4
"""Enough for a table of millions of views; a training node has other work for its cores."""
_LONGEST = 300
"""Characters of what the engine says."""
MOST_DEPTH = 200
"""Of brackets within brackets."""
_BOUNDS = {
    "memory_limit": MOST_MEMORY,
    "temp_directory": "",
    "threads": MOST_THREADS,
    # Else a word that belongs to an extension would have it fetched from the network.
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
}


class EngineError(Exception):
    """What the engine says, in one line; who asked knows whose fault it is."""


class LabelEngine:
    """An open connection. Every answer is whole and within the bounds, or an EngineError."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def rows(self, query: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """All rows of an answer."""
        return self._bounded(query, values, "fetchall")

    def numbers(self, query: str, values: Sequence[object] = ()) -> NDArray[np.int64]:
        """The one column of an answer, integers."""
        (column,) = self._bounded(query, values, "fetchnumpy").values()
        return np.asarray(column, dtype=np.int64)

    def _bounded(self, query: str, values: Sequence[object], fetch: str) -> Any:
        duckdb = _library()
        try:
            answer = self._connection.execute(query, list(values))
            # Within the bounds too: some of an answer is only computed as it is fetched.
            return getattr(answer, fetch)()
        except duckdb.OutOfMemoryException:
            raise EngineError(f"needs more than {MOST_MEMORY} of memory") from None
        except duckdb.Error as error:
            raise EngineError(_first_line(str(error))) from None


@contextmanager
def open_engine(readable: str | None = None) -> Generator[LabelEngine, None, None]:
    """A connection without a database. From now on it reads no other file, and no setting changes.

    Args:
        readable: path of the one file that it may read.

    Raises:
        MissingExtraError: DuckDB is not installed.
    """
    with _library().connect(":memory:", config=_BOUNDS) as connection:
        connection.execute(f"SET max_expression_depth = {MOST_DEPTH}")
        if readable is not None:
            connection.execute("SET allowed_paths = [$1]".replace("$1", _quoted(readable)))
        connection.execute("SET enable_external_access = false")
        connection.execute("SET lock_configuration = true")
        yield LabelEngine(connection)


def _first_line(text: str) -> str:
    """Return an error's first line, without the name that the table's file has in this process."""
    return re.sub(r"'?/proc/self/fd/\d+'?", "the table", text.strip().split("\n")[0])[:_LONGEST]


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _library() -> Any:
    try:
        import duckdb
    except ImportError as error:
        raise MissingExtraError("duckdb", "train") from error
    return duckdb
