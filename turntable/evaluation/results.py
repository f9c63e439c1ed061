"""Results: what an evaluation found, as values that survive JSON."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from turntable.datasets.files import write_text
from turntable.errors import IntegrityError, shown

FORMAT_VERSION = 2
CONSTANT = "constant"
"""The row of what sees nothing."""
_BASELINE = "baseline_"
_MOST_BYTES = 16 << 20
"""The most of a file of results; a usual one has a few thousand."""


@dataclass(frozen=True, slots=True)
class Score:
    """A number with its 95 % bootstrap interval over objects."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Row:
    """The scores of one part of a method's representation, of what a method answers, or of a baseline."""

    name: str
    """"representation", "invariant", "equivariant"; "aggregate_3", of three views together; "classifier";
    "predictor"; "constant" of what sees nothing, and "baseline_NAME" of other baselines."""
    dim: int
    """Its width; 0 for baselines."""
    scores: Mapping[str, Score]
    """By metric (docs/evaluation.md); one that data or method cannot have is absent."""


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """The same heads on another data set."""

    dataset: str
    fingerprint: str
    share_of_training: float | None
    """Of its rotations, those that the training data's ranges can show: 0 is out of distribution on SO(3), 1
    is not, whatever its angles are called. None where training does not draw from ranges of angles."""
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()
    """What is left out, and why."""


@dataclass(frozen=True, slots=True)
class Results:
    """One method on one data set under one protocol."""

    method: str
    backbone: str | None
    """None for a method that has none."""
    seed: int
    """Of the training."""
    dataset: str
    fingerprint: str
    """Of the data set."""
    protocol: Mapping[str, Any]
    """All that decides the numbers beside the method and the data (``Protocol.to_plain``)."""
    num_train_objects: int
    num_val_objects: int
    num_val_pairs: int
    rows: tuple[Row, ...]
    """The parts, what the method answers, then the baselines, the constant last."""
    elsewhere: tuple[Elsewhere, ...] = ()
    notes: tuple[str, ...] = ()
    """What is left out, and why."""
    format_version: int = FORMAT_VERSION

    def row(self, name: str) -> Row:
        """A row by its name. Raises KeyError where there is none."""
        for row in self.rows:
            if row.name == name:
                return row
        raise KeyError(name)

    def to_json(self) -> str:
        """For people too."""
        return json.dumps(asdict(self), indent=1, allow_nan=False) + "\n"

    @classmethod
    def from_json(cls, text: str, where: str = "results.json") -> Self:
        """Read what ``to_json`` wrote.

        Raises:
            IntegrityError: The text is something else.
        """
        try:
            values: dict[str, Any] = json.loads(text)
            if values["format_version"] != FORMAT_VERSION:
                raise IntegrityError(
                    f"{where} has format {shown(str(values['format_version']))}; this version reads "
                    f"{FORMAT_VERSION}: run turntable evaluate again"
                )
            values["rows"] = _rows(values["rows"])
            values["elsewhere"] = tuple(_elsewhere(other) for other in values["elsewhere"])
            values["notes"] = tuple(values.get("notes", ()))
            return cls(**values)
        except (KeyError, TypeError, AttributeError, RecursionError, ValueError) as error:
            raise IntegrityError(
                f"{where} is no result of turntable evaluate ({shown(str(error))}); run it again"
            ) from error


def is_baseline(row: str) -> bool:
    """Say whether a row of this name is of a baseline, which no method has learned."""
    return row == CONSTANT or row.startswith(_BASELINE)


def write_results(path: Path, results: Results) -> None:
    """Write results atomically."""
    write_text(path, results.to_json())


def read_results(path: Path) -> Results:
    """Read what ``write_results`` wrote.

    Raises:
        IntegrityError: The file is something else.
    """
    with path.open("rb") as file:
        data = file.read(_MOST_BYTES + 1)
    if len(data) > _MOST_BYTES:
        raise IntegrityError(f"{path} has more than {_MOST_BYTES >> 20} MiB, which no results have")
    return Results.from_json(data.decode("utf-8", "replace"), str(path))


def _elsewhere(values: dict[str, Any]) -> Elsewhere:
    rows, notes = _rows(values.pop("rows")), tuple(values.pop("notes", ()))
    return Elsewhere(**values, rows=rows, notes=notes)


def _rows(values: Sequence[Mapping[str, Any]]) -> tuple[Row, ...]:
    return tuple(_row(row) for row in values)


def _row(values: Mapping[str, Any]) -> Row:
    scores = {name: Score(**score) for name, score in values["scores"].items()}
    return Row(values["name"], values["dim"], scores)
