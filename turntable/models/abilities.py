"""Abilities: what a method can do besides computing its loss.

Evaluation checks with ``isinstance`` which of these classes a method implements, and calls nothing else.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Self

from torch import Tensor


@dataclass(frozen=True, slots=True)
class Embedding:
    """The vectors that a method computes from B single views; a part that the method lacks has width 0."""

    representation: Tensor
    """The whole representation [B, D], which the papers' probes read."""
    invariant: Tensor
    """The part [B, Di] trained to stay the same when the object turns."""
    equivariant: Tensor
    """The part [B, De] trained to change with the object's rotation."""
    source: Tensor
    """The vectors [B, E] from which ``Predicts.predict`` starts."""
    target: Tensor
    """The vectors [B, E] that ``Predicts.predict`` should reach from the other view; often equal to
    ``source``."""

    @classmethod
    def from_parts(
        cls,
        representation: Tensor,
        *,
        invariant: Tensor | None = None,
        equivariant: Tensor | None = None,
        source: Tensor | None = None,
        target: Tensor | None = None,
    ) -> Self:
        """Return an embedding of the given parts.

        Args:
            representation: [B, D].
            invariant: [B, Di]; None for width 0.
            equivariant: [B, De]; None for width 0.
            source: [B, E]; None for width 0.
            target: [B, E]; None for the same tensor as ``source``.
        """
        empty = representation[:, :0]
        source = empty if source is None else source
        return cls(
            representation,
            empty if invariant is None else invariant,
            empty if equivariant is None else equivariant,
            source,
            source if target is None else target,
        )


class Embeds(ABC):
    """A method that embeds single views; probes are trained on its embeddings."""

    embeds_from: tuple[str, ...]
    """Fields of single views that ``embed`` takes, in the order of its arguments: ``("view",)`` for
    images."""

    @abstractmethod
    def embed(self, *fields: Tensor) -> Embedding:
        """Embed B views.

        In ``eval()`` mode the embedding of a view must not depend on the other views of the batch.

        Args:
            *fields: Tensors [B, ...], as a batch of single views has them.
        """


class Predicts(ABC):
    """A method that predicts the embedding of a view after an action; retrieval metrics need it."""

    action: tuple[str, ...]
    """Relative labels that make up the action (``actions.action_from_batch``)."""

    @abstractmethod
    def predict(self, source: Tensor, action: Tensor) -> Tensor:
        """Predict ``Embedding.target`` of the second views.

        Args:
            source: ``Embedding.source`` [B, E] of the first views.
            action: Actions [B, K] from the first views to the second.

        Returns:
            Predictions [B, E].
        """


class Aggregates(ABC):
    """A method that combines several views of an object in one vector, as seq-JEPA does."""

    action: tuple[str, ...]
    """Relative labels that make up the action (``actions.action_from_batch``)."""

    @abstractmethod
    def aggregate(self, representation: Tensor, action: Tensor) -> Tensor:
        """Combine M views of each object.

        Args:
            representation: ``Embedding.representation`` [B, M, D] of the views.
            action: Actions [B, M - 1, K] from each view to the next.

        Returns:
            One vector per object, [B, A].
        """


class Classifies(ABC):
    """A method that has a trained head for the category of a view."""

    @abstractmethod
    def classify(self, representation: Tensor) -> Tensor:
        """Compute the logits of the categories.

        Args:
            representation: ``Embedding.representation`` [B, D] of the views.

        Returns:
            Logits [B, number of categories].
        """


ABILITIES: tuple[type, ...] = (Embeds, Predicts, Aggregates, Classifies)
"""All abilities that evaluation knows."""
