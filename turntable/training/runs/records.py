"""Records of a run: losses as JSON lines, which are the same whether or not the run was interrupted.

``records.jsonl`` has one object per logged step, ``{"kind": "step", "epoch", "step", "learning_rate", "loss",
...}``, and one per epoch with the means over its steps, ``"kind": "epoch"``. Nothing in it depends on the
clock; speeds are only in tensorboard's files.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from turntable.datasets.files import append_line, read_lines, write_text
from turntable.datasets.stores import convert_os_errors
from turntable.errors import IntegrityError, format_text
from turntable.models import rename_terms
from turntable.training.runs.loggers import RunLogger
from turntable.training.runs.recorded_settings import find_recorded_method


class RecordWriter:
    """A writer of the records of one run, which also passes them to loggers."""

    def __init__(self, path: Path, num_done_steps: int, loggers: Sequence[RunLogger] = ()) -> None:
        """Open the records, and remove those of steps after the checkpoint.

        Args:
            path: Path of the JSON lines.
            num_done_steps: Number of steps of the checkpoint.
            loggers: Loggers that receive the same numbers; closed with the writer.
        """
        self._path, self._loggers = path, loggers
        self._drop_later_records(num_done_steps)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            with convert_os_errors(self._path.parent):
                for logger in self._loggers:
                    logger.close()
        except Exception:
            if error is None:  # otherwise the first error says more
                raise

    def add(self, kind: str, epoch: int, step: int, values: Mapping[str, float]) -> None:
        """Write one record.

        Args:
            kind: "step" or "epoch".
            epoch: Index of the epoch, 0 for the first.
            step: Number of steps done.
            values: Values by name.

        Raises:
            StoreError: The disk is full, or the file cannot be written.
        """
        with convert_os_errors(self._path):
            append_line(self._path, json.dumps({"kind": kind, "epoch": epoch, "step": step, **values}))
        self._write_to_loggers(kind, step, values)

    def add_speed(self, step: int, images_per_second: float, wait_fraction: float) -> None:
        """Pass the speed, and the fraction of time spent waiting for data, to the loggers only."""
        self._write_to_loggers(
            "speed", step, {"images_per_second": images_per_second, "waiting": wait_fraction}
        )

    def _write_to_loggers(self, kind: str, step: int, values: Mapping[str, float]) -> None:
        with convert_os_errors(self._path.parent):
            for logger in self._loggers:
                logger.add({f"{kind}/{name}": value for name, value in values.items()}, step)

    def _drop_later_records(self, num_done_steps: int) -> None:
        lines = read_lines(self._path)
        kept = [line for line in lines if _parse_record(line, self._path)["step"] <= num_done_steps]
        with convert_os_errors(self._path):
            write_text(self._path, "".join(f"{line}\n" for line in kept))


def read_records(path: Path) -> list[dict[str, Any]]:
    """Read the records of a run, in order.

    Args:
        path: Path of ``records.jsonl`` in the folder of the run.

    Returns:
        Records by name of their values; none if there is no file yet. Terms that had other names in earlier
        versions have their present ones.

    Raises:
        IntegrityError: The file holds something else.
    """
    try:
        lines = read_lines(path)
    except (OSError, IntegrityError) as error:
        raise IntegrityError(f"{path} holds no records of a run ({error}); remove it") from error
    records = [_parse_record(line, path) for line in lines]
    method = find_recorded_method(path.parent)
    return records if method is None else [rename_terms(method, record) for record in records]


def _parse_record(line: str, path: Path) -> dict[str, Any]:
    """Return the record of a line: its kind, and numbers by name."""
    record: dict[str, Any] = {}
    try:
        record = json.loads(line)
        numbers = {name: value for name, value in record.items() if name != "kind"}
        is_record = isinstance(record["kind"], str) and all(map(_is_number, numbers.values()))
        is_record = is_record and all(type(record[name]) is int for name in ("epoch", "step"))
    except (AttributeError, KeyError, RecursionError, TypeError, ValueError):
        is_record = False
    if not is_record:
        raise IntegrityError(
            f"{path} holds a line that is no record of a run: {format_text(line, 80)}; remove it"
        )
    return record


def _is_number(value: object) -> bool:
    # NaN is allowed, since a term outside the loss may be NaN. Integers beyond all floats are not.
    return isinstance(value, float) or (isinstance(value, int) and abs(value) < 2**63)
