"""Records: what a run measured, as JSON lines that are the same whether or not it was killed.

``records.jsonl`` has one object a logged step, ``{"kind": "step", "epoch", "step", "learning_rate", "loss",
...}``, and one an epoch with the means over its steps, ``"kind": "epoch"``. Nothing in it depends on the
clock; speeds are in tensorboard's files beside it.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from turntable.datasets.files import append_line, read_lines, write_text
from turntable.errors import IntegrityError, shown
from turntable.training.runs.sinks import Sink


class Records:
    """Writes the records of one run; a continued run first forgets what came after its checkpoint."""

    def __init__(self, path: Path, done_steps: int, sinks: Sequence[Sink] = ()) -> None:
        """Open the records.

        Args:
            path: The JSON lines.
            done_steps: How many steps the checkpoint has; records of later ones are removed.
            sinks: What is told the same numbers; closed in the end.
        """
        self._path, self._sinks = path, sinks
        self._keep(done_steps)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for sink in self._sinks:
            sink.close()

    def add(self, kind: str, epoch: int, step: int, values: Mapping[str, float]) -> None:
        """Write one record.

        Args:
            kind: "step" or "epoch".
            epoch: 0 for the first.
            step: How many steps are done.
            values: By name.
        """
        append_line(self._path, json.dumps({"kind": kind, "epoch": epoch, "step": step, **values}))
        self._tell(kind, step, values)

    def add_speed(self, step: int, images_per_second: float, waiting: float) -> None:
        """Write how fast the run is and which share of its time it waits for data, to the sinks alone."""
        self._tell("speed", step, {"images_per_second": images_per_second, "waiting": waiting})

    def _tell(self, kind: str, step: int, values: Mapping[str, float]) -> None:
        for sink in self._sinks:
            sink.add({f"{kind}/{name}": value for name, value in values.items()}, step)

    def _keep(self, done_steps: int) -> None:
        lines = read_lines(self._path)
        kept = [line for line in lines if _record(line, self._path)["step"] <= done_steps]
        write_text(self._path, "".join(f"{line}\n" for line in kept))


def read_records(path: Path) -> list[dict[str, Any]]:
    """The records of a run, in order; none where there is no file yet.

    Raises:
        IntegrityError: The file holds something else.
    """
    try:
        lines = read_lines(path)
    except (OSError, IntegrityError) as error:
        raise IntegrityError(f"{path} holds no records of a run ({error}); remove it") from error
    return [_record(line, path) for line in lines]


def _record(line: str, path: Path) -> dict[str, Any]:
    """Read a record: its kind, and numbers by name."""
    record: dict[str, Any] = {}
    try:
        record = json.loads(line)
        numbers = {name: value for name, value in record.items() if name != "kind"}
        right = isinstance(record["kind"], str) and all(map(_is_number, numbers.values()))
        right = right and all(type(record[name]) is int for name in ("epoch", "step"))
    except (AttributeError, KeyError, RecursionError, TypeError, ValueError):
        right = False
    if not right:
        raise IntegrityError(f"{path} holds a line that is no record of a run: {shown(line, 80)}; remove it")
    return record


def _is_number(value: object) -> bool:
    # NaN is one: a term beside the loss may be it. Whole numbers beyond all floats are none.
    return isinstance(value, float) or (isinstance(value, int) and abs(value) < 2**63)
