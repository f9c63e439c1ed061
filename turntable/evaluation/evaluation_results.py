"""Results of an evaluation, and their file results.json."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from turntable.datasets.files import write_text
from turntable.datasets.stores import convert_os_errors
from turntable.errors import IntegrityError, format_text
from turntable.evaluation.old_names import rename_results

FORMAT_VERSION = 3
"""Version of the format of results.json."""
_READ_VERSIONS = (2, FORMAT_VERSION)
"""Versions that are read; version 2 has neither the split nor what the method was trained on."""
CONSTANT_ROW = "constant"
"""Name of the row of the constant baseline, which sees no image."""
UNTRAINED_METHOD = "untrained"
"""Name of the method in the results of an untrained network."""
OTHER_FOLDER_REMEDY = "choose another folder for features and results (--out FOLDER)"
"""Advice where the folder of a run cannot be written."""
_BASELINE_PREFIX = "baseline_"
_MAX_BYTES = 16 << 20
"""Maximal size of a file of results; a usual one has a few thousand bytes."""


@dataclass(frozen=True, slots=True)
class Score:
    """A number with its 95 % bootstrap interval over objects."""

    value: float
    """Value on the objects as they are."""
    low: float
    """Lower end of the interval."""
    high: float
    """Upper end of the interval."""


@dataclass(frozen=True, slots=True)
class ScoreRow:
    """The scores of a part of a method's features, of its classifier or predictor, or of a baseline."""

    name: str
    """Name of the row: "representation", "invariant" or "equivariant"; "aggregate_3" of three views embedded
    together; "classifier"; "predictor"; "constant" of the constant baseline, and "baseline_NAME" of
    others."""
    dim: int
    """Number of features of a view; 0 for baselines."""
    scores: Mapping[str, Score]
    """Scores by metric (docs/evaluation.md); a metric that the data or the method cannot have is absent."""


@dataclass(frozen=True, slots=True)
class OODResults:
    """The scores of the same heads on another data set."""

    dataset: str
    """Name of the data set."""
    fingerprint: str
    """Fingerprint of the data set."""
    share_of_training: float | None
    """Share of its rotations that lie within the training data's ranges of angles: 0 is out of distribution
    on SO(3), 1 is not. None if training does not draw rotations from ranges of angles."""
    rows: tuple[ScoreRow, ...]
    """Rows of scores, as in ``EvaluationResults``."""
    notes: tuple[str, ...] = ()
    """Sentences about what is left out, and why."""


@dataclass(frozen=True, slots=True)
class TrainingSource:
    """The data that a method was trained on."""

    name: str
    """Name of the data set, or of the recipe whose views were rendered online."""
    fingerprint: str
    """Fingerprint of the data set."""
    path_or_url: str | None = None
    """Path or URL of the data set, as it was given to the training; None if views were rendered online."""

    def __str__(self) -> str:
        """Return the name with the beginning of the fingerprint."""
        return f"{self.name} {self.fingerprint[:8]}"


@dataclass(frozen=True, slots=True)
class EvaluationResults:
    """The scores of one method on one data set under one protocol."""

    method: str
    """Name of the method."""
    backbone: str | None
    """Name of the backbone; None for a method that has none."""
    seed: int
    """Seed of the training."""
    dataset: str
    """Name of the data set."""
    fingerprint: str
    """Fingerprint of the data set."""
    protocol: Mapping[str, Any]
    """All settings that decide the numbers, besides the method and the data (``Protocol.to_plain``)."""
    num_train_objects: int
    """Number of objects that heads were trained on."""
    num_val_objects: int
    """Number of objects that were scored."""
    num_val_pairs: int
    """Number of pairs of views that were scored."""
    rows: tuple[ScoreRow, ...]
    """Parts of the features, rows that tasks add, then baselines; the constant baseline is last."""
    elsewhere: tuple[OODResults, ...] = ()
    """Scores of the same heads on other data sets."""
    notes: tuple[str, ...] = ()
    """Sentences about what is left out, and why."""
    split: str = "val"
    """Name of the split that was scored."""
    path_or_url: str | None = None
    """Path or URL of the data set, as it was given; None in results of earlier versions."""
    training: TrainingSource | None = None
    """Data that the method was trained on; None in results of earlier versions."""
    weights: str | None = None
    """Hex sha256 of the run's weights.pt; None for an untrained network, and in results of earlier
    versions."""
    format_version: int = FORMAT_VERSION
    """Version of the format."""

    def get_row(self, name: str) -> ScoreRow:
        """Return the row of a name.

        Raises:
            KeyError: There is no such row.
        """
        for row in self.rows:
            if row.name == name:
                return row
        raise KeyError(name)

    def to_json(self) -> str:
        """Return the results as JSON, indented so that people can read it."""
        return json.dumps(asdict(self), indent=1, allow_nan=False) + "\n"

    @classmethod
    def from_json(cls, text: str, path: str = "results.json") -> Self:
        """Parse what ``to_json`` wrote, also in an earlier version with other names.

        Args:
            text: Content of the file.
            path: Path of the file, for messages.

        Raises:
            IntegrityError: The text is not results of an evaluation.
        """
        try:
            values: dict[str, Any] = json.loads(text)
            _check_version(values["format_version"], path)
            values = {**rename_results(values), "format_version": FORMAT_VERSION}
            values["rows"] = _parse_rows(values["rows"])
            values["elsewhere"] = tuple(_parse_ood_results(other) for other in values["elsewhere"])
            values["notes"] = tuple(values.get("notes", ()))
            if values.get("training") is not None:
                values["training"] = TrainingSource(**values["training"])
            return cls(**values)
        except (KeyError, TypeError, AttributeError, RecursionError, ValueError) as error:
            raise IntegrityError(
                f"{path} is not a result of turntable evaluate ({format_text(str(error))}); run it again"
            ) from error


def format_training_sources(sources: Sequence[tuple[str, TrainingSource | None]]) -> str:
    """Return a sentence about the data that methods were trained on; "" if that is not known of any.

    Args:
        sources: Name of each method, and what it was trained on; None if that is not known.
    """
    texts = dict.fromkeys((name, "unknown data" if each is None else str(each)) for name, each in sources)
    if all(source is None for _, source in sources):
        return ""
    if len({text for _, text in texts}) == 1:
        return f"Trained on {next(iter(texts))[1]}."
    return f"Trained on: {'; '.join(f'{text} ({name})' for name, text in texts)}."


def is_baseline(row_name: str) -> bool:
    """Return True if the row of this name is of a baseline rather than of a method."""
    return row_name == CONSTANT_ROW or row_name.startswith(_BASELINE_PREFIX)


def write_results(path: Path, results: EvaluationResults) -> None:
    """Write results atomically.

    Raises:
        StoreError: The folder cannot be written, or its disk is full.
    """
    with convert_os_errors(path, OTHER_FOLDER_REMEDY):
        write_text(path, results.to_json())


def read_results(path: Path) -> EvaluationResults:
    """Read the file that ``write_results`` wrote.

    Raises:
        IntegrityError: The file is not results of an evaluation.
    """
    with path.open("rb") as file:
        data = file.read(_MAX_BYTES + 1)
    if len(data) > _MAX_BYTES:
        raise IntegrityError(
            f"{path} has more than {_MAX_BYTES >> 20} MiB: it is not a result of turntable evaluate"
        )
    return EvaluationResults.from_json(data.decode("utf-8", "replace"), str(path))


def _check_version(version: object, path: str) -> None:
    """Check that a version of the format is read.

    Raises:
        IntegrityError: It is another one.
    """
    if version in _READ_VERSIONS:
        return
    is_newer = isinstance(version, int) and version > FORMAT_VERSION
    remedy = "install the turntable that wrote it, or evaluate again" if is_newer else "evaluate again"
    raise IntegrityError(
        f"{path} has format {format_text(str(version))}, but this version of turntable reads formats"
        f" {' and '.join(map(str, _READ_VERSIONS))}: {remedy}"
    )


def _parse_ood_results(values: dict[str, Any]) -> OODResults:
    rows, notes = _parse_rows(values.pop("rows")), tuple(values.pop("notes", ()))
    return OODResults(**values, rows=rows, notes=notes)


def _parse_rows(values: Sequence[Mapping[str, Any]]) -> tuple[ScoreRow, ...]:
    return tuple(_parse_row(row) for row in values)


def _parse_row(values: Mapping[str, Any]) -> ScoreRow:
    scores = {name: Score(**score) for name, score in values["scores"].items()}
    return ScoreRow(values["name"], values["dim"], scores)
