"""Results: what an evaluation found, as values that survive JSON."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from turntable.datasets.storage import write_text
from turntable.errors import IntegrityError

FORMAT_VERSION = 1


@dataclass(frozen=True, slots=True)
class Score:
    """A number with its 95 % bootstrap interval over objects."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Row:
    """The scores of one part of a method's representation, or of a predictor that sees no image."""

    name: str
    """"representation", "invariant", "equivariant" or "constant"."""
    dim: int
    """Its width; 0 for the constant predictor."""
    scores: Mapping[str, Score]
    """By metric: "top1", "r2_pooled", "r2_averaged", "geodesic_mean_deg", "geodesic_median_deg",
    "acc_at_15", "acc_at_30"; those of the linear rotation head begin with "linear_"."""


@dataclass(frozen=True, slots=True)
class Results:
    """One method on one data set under one protocol."""

    method: str
    dataset: str
    fingerprint: str
    """Of the data set."""
    protocol: Mapping[str, Any]
    """All that decides the numbers beside the method and the data."""
    num_train_objects: int
    num_val_objects: int
    num_val_pairs: int
    rows: tuple[Row, ...]
    """The parts, then the constant predictor."""
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
                    f"{where} has format {values['format_version']}; this version reads {FORMAT_VERSION}:"
                    " run turntable evaluate again"
                )
            values["rows"] = tuple(_row(row) for row in values["rows"])
            return cls(**values)
        except (KeyError, TypeError, json.JSONDecodeError) as error:
            raise IntegrityError(
                f"{where} is no result of turntable evaluate ({error}); run it again"
            ) from error


def write_results(path: Path, results: Results) -> None:
    """Write results atomically."""
    write_text(path, results.to_json())


def read_results(path: Path) -> Results:
    """Read what ``write_results`` wrote.

    Raises:
        IntegrityError: The file is something else.
    """
    return Results.from_json(path.read_text(encoding="utf-8"), str(path))


def _row(values: Mapping[str, Any]) -> Row:
    scores = {name: Score(**score) for name, score in values["scores"].items()}
    return Row(values["name"], values["dim"], scores)
