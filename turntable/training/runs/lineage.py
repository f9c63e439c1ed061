"""The lineage of a run: the weights that it started with, and the shorter runs that it continued.

Weights are identified by the sha256 of their file weights.pt, as ``sha256sum`` prints it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Self

from turntable.datasets.files import is_digest
from turntable.errors import format_text
from turntable.models import MAX_TEXT_LENGTH

_SHOWN_DIGITS = 12
"""Number of digits of a digest in messages."""


@dataclass(frozen=True, slots=True)
class Start:
    """The finished run whose weights another run started with."""

    run: str
    """Path of its folder, as the user gave it."""
    method: str
    epochs: int
    """Number of epochs of its training."""
    weights_sha256: str
    """Digest of its weights.pt."""
    fingerprint: str
    """Fingerprint of the data set that it was trained on."""

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Read the values of ``asdict``, from a file of any origin; raise ValueError or TypeError."""
        start = cls(**values)
        for text in (start.run, start.method, start.fingerprint):
            _check_text(text)
        _check_count(start.epochs)
        _check_digest(start.weights_sha256)
        return start


@dataclass(frozen=True, slots=True)
class Extension:
    """A change of a run to more epochs."""

    epochs_before: int
    weights_sha256: str | None
    """Digest of the weights of the shorter run; None if it was not finished."""

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Read the values of ``asdict``, from a file of any origin; raise ValueError or TypeError."""
        extension = cls(**values)
        _check_count(extension.epochs_before)
        if extension.weights_sha256 is not None:
            _check_digest(extension.weights_sha256)
        return extension


@dataclass(frozen=True, slots=True)
class Lineage:
    """The lineage of one run; empty for a run with fresh weights and its first number of epochs."""

    start: Start | None = None
    extensions: tuple[Extension, ...] = ()
    """Changes of the number of epochs, the first one first."""

    def extend(self, extension: Extension) -> Self:
        """Return the lineage after one more change of the number of epochs."""
        return replace(self, extensions=(*self.extensions, extension))

    def to_dict(self) -> dict[str, Any]:
        """Return the lineage as plain values, for config.json."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Read the values of ``to_dict``, from a file of any origin.

        Raises:
            ValueError, TypeError, KeyError, AttributeError: They are no lineage.
        """
        start = values["start"]
        return cls(
            None if start is None else Start.from_dict(start),
            tuple(map(Extension.from_dict, values["extensions"])),
        )

    def describe(self, epochs: int) -> list[str]:
        """Describe the lineage in sentences without full stops, for users; none if it is empty.

        Args:
            epochs: Number of epochs of the run now.
        """
        return list(self._iter_sentences(epochs))

    def _iter_sentences(self, epochs: int) -> Iterator[str]:
        if self.start is not None:
            start = self.start
            yield (
                f"started with the weights of {format_text(start.run)} ({format_text(start.method, 40)},"
                f" {start.epochs} epochs, sha256 {start.weights_sha256[:_SHOWN_DIGITS]})"
            )
        later = [*(extension.epochs_before for extension in self.extensions[1:]), epochs]
        for extension, epochs_after in zip(self.extensions, later, strict=False):
            sha256 = extension.weights_sha256
            weights = "" if sha256 is None else f" (weights then: sha256 {sha256[:_SHOWN_DIGITS]})"
            yield f"extended from {extension.epochs_before} to {epochs_after} epochs{weights}"


NO_LINEAGE = Lineage()
"""The lineage of a run with fresh weights and its first number of epochs."""


def _check_count(value: object) -> None:
    if type(value) is not int or not 0 < value <= 10**6:
        raise ValueError("a number of epochs in its lineage is not a whole number from 1 to 1,000,000")


def _check_text(value: object) -> None:
    if not isinstance(value, str) or len(value) > MAX_TEXT_LENGTH:
        raise TypeError("the run that it started from is not described by texts")


def _check_digest(value: object) -> None:
    if not is_digest(value):
        raise ValueError("a digest in its lineage is not a sha256")
