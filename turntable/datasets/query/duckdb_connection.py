"""DuckDB connections for untrusted queries: they can read at most one file, and their memory is limited.

Their time is not limited: a single step of DuckDB cannot be interrupted. So run them in a process that can be
killed.
"""

import re
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from turntable.extras import explain_import_errors

MAX_MEMORY = "1GB"
MAX_THREADS = 4
"""Maximum number of threads: enough for millions of views, and leaving cores free on a training node."""
_MAX_MESSAGE_LENGTH = 300
"""Maximum number of characters of DuckDB's message in an error."""
MAX_DEPTH = 200
"""Maximum depth of nested brackets."""
_CONFIG = {
    "memory_limit": MAX_MEMORY,
    "temp_directory": "",
    "threads": MAX_THREADS,
    # Otherwise a name that belongs to an extension makes DuckDB download it.
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
}


class DuckDBError(Exception):
    """An error of DuckDB, with its message in one line. The caller decides what is to blame.

    Args:
        message: The message.
        place: Part of the query that DuckDB points at; empty if it points at none.
    """

    def __init__(self, message: str, place: str = "") -> None:
        super().__init__(message)
        self.place = place


class DuckDBConnection:
    """An open connection. It returns whole results within the limits, or raises DuckDBError."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def fetch_rows(self, query: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """Execute a query and return all rows of its result."""
        return self._execute(query, values, "fetchall")

    def fetch_integers(self, query: str, values: Sequence[object] = ()) -> NDArray[np.int64]:
        """Execute a query and return the single integer column of its result."""
        (column,) = self._execute(query, values, "fetchnumpy").values()
        return np.asarray(column, dtype=np.int64)

    def _execute(self, query: str, values: Sequence[object], fetch: str) -> Any:
        duckdb = _import_duckdb()
        try:
            answer = self._connection.execute(query, list(values))
            # Inside of try: DuckDB computes part of a result only while it is fetched.
            return getattr(answer, fetch)()
        except duckdb.OutOfMemoryException:
            raise DuckDBError(f"needs more than {MAX_MEMORY} of memory") from None
        except duckdb.Error as error:
            raise DuckDBError(_format_error(str(error)), _find_place(str(error))) from None


@contextmanager
def open_duckdb(readable_path: str | None = None) -> Generator[DuckDBConnection, None, None]:
    """Open a connection without a database. It can read no other file, and its settings are locked.

    Args:
        readable_path: Path of the one file that it may read; None for none.

    Raises:
        MissingExtraError: DuckDB is not installed.
    """
    with _import_duckdb().connect(":memory:", config=_CONFIG) as connection:
        connection.execute(f"SET max_expression_depth = {MAX_DEPTH}")
        if readable_path is not None:
            connection.execute("SET allowed_paths = [$1]".replace("$1", _quote(readable_path)))
        connection.execute("SET enable_external_access = false")
        connection.execute("SET lock_configuration = true")
        yield DuckDBConnection(connection)


def _format_error(text: str) -> str:
    """Return the first line of an error, with "the table" in place of the table's path in this process."""
    return re.sub(r"'?/proc/self/fd/\d+'?", "the table", text.strip().split("\n")[0])[:_MAX_MESSAGE_LENGTH]


def _find_place(text: str) -> str:
    """Return the part of the query below which DuckDB draws its marks (^^^); empty if there are none.

    Versions before 2 mark only where the part begins: then it is the word there.
    """
    match = re.search(r"^(LINE \d+: .*)\n( *)(\^+)$", text, re.MULTILINE)
    if match is None:
        return ""
    rest, num_marks = match[1][len(match[2]) :], len(match[3])
    word = re.match(r"\w+", rest) if num_marks == 1 else None
    return rest[:num_marks] if word is None else word[0]


def _quote(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _import_duckdb() -> Any:
    with explain_import_errors("duckdb"):
        import duckdb
    return duckdb
