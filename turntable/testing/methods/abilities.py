"""Tests of the abilities that evaluation uses: to embed, predict, classify and aggregate."""

from collections.abc import Mapping
from typing import Any

import pytest
import torch
from torch import Tensor

from turntable.datasets import Dataset
from turntable.geometry import get_relative_label
from turntable.models import Aggregates, Classifies, Embedding, Embeds, Method, MethodEntry, Predicts
from turntable.testing.methods.base import NUM_ROWS, Fields, MethodTests, load_single_views

PARTS = ("representation", "invariant", "equivariant", "source", "target")
"""Names of the parts of an ``Embedding``."""


def is_close(one: Tensor, other: Tensor) -> bool:
    """Return True if two tensors have the same shape and are equal up to rounding."""
    return one.shape == other.shape and torch.allclose(one, other, rtol=1e-4, atol=1e-5)


def select_row(fields: Mapping[str, Tensor], row: int) -> list[Tensor]:
    """Return one row of all fields, as a batch of one."""
    return [values[row : row + 1] for values in fields.values()]


def make_skip_fixture(ability: type) -> Any:
    """Return a fixture that skips a test if the method lacks an ability."""

    @pytest.fixture
    def skip(self: MethodTests, entry: MethodEntry) -> None:  # noqa: ARG001
        if not issubclass(entry.method, ability):
            pytest.skip(f"the method lacks the ability {ability.__name__}")

    return skip


class AbilityTests(MethodTests):
    """Tests of Embeds, Predicts, Classifies and Aggregates, skipped for abilities that the method lacks."""

    embeds, predicts = make_skip_fixture(Embeds), make_skip_fixture(Predicts)
    classifies, aggregates = make_skip_fixture(Classifies), make_skip_fixture(Aggregates)

    @pytest.fixture
    def frozen(self, method: Method) -> Method:
        """The method as evaluation uses it: in ``eval()`` mode, without gradients."""
        return method.eval().requires_grad_(False)

    @pytest.fixture
    def views(self, frozen: Method, dataset: Dataset) -> Fields:
        """The fields of single views that the method embeds."""
        assert isinstance(frozen, Embeds), "a method that predicts, classifies or aggregates also embeds"
        return load_single_views(dataset, frozen.embeds_from)

    @pytest.fixture
    def embedding(self, frozen: Method, views: Fields) -> Embedding:
        """The embeddings of the single views."""
        assert isinstance(frozen, Embeds)
        return frozen.embed(*views.values())

    def make_action(self, labels: tuple[str, ...], *shape: int) -> Tensor:
        """Return random numbers [..., K] in place of an action of some relative labels."""
        width = sum(get_relative_label(label).width for label in labels)
        return torch.randn(*shape, width, generator=torch.Generator().manual_seed(0))

    @pytest.mark.usefixtures("embeds")
    def test_embeddings_are_rows_of_finite_numbers(self, embedding: Embedding) -> None:
        """Each part has one row for each view; a part that the method lacks has width 0."""
        for part in PARTS:
            values: Tensor = getattr(embedding, part)
            assert values.shape[:1] == (NUM_ROWS,), f"{part} has one row for each view"
            assert values.ndim == 2, f"{part} is [B, width], with width 0 if the method lacks it"
            assert torch.isfinite(values).all(), f"{part} is finite"
        assert embedding.representation.shape[1] > 0, "the width of the representation is above 0"
        assert embedding.source.shape == embedding.target.shape, "source and target have the same width"

    @pytest.mark.usefixtures("embeds")
    def test_a_view_is_embedded_by_itself(self, frozen: Method, views: Fields, embedding: Embedding) -> None:
        """In ``eval()`` mode an embedding does not depend on the other views of the batch."""
        assert isinstance(frozen, Embeds)
        alone = [frozen.embed(*select_row(views, row)) for row in range(NUM_ROWS)]
        for part in PARTS:
            rule = f"in eval() mode {part} of a view does not depend on the other views of the batch"
            assert is_close(getattr(embedding, part), torch.cat([getattr(one, part) for one in alone])), rule

    @pytest.mark.usefixtures("predicts")
    def test_predictions_are_embeddings_of_other_views(self, frozen: Method, embedding: Embedding) -> None:
        """Predictions have the shape of the targets, and none depends on other rows."""
        assert isinstance(frozen, Predicts)
        assert embedding.source.shape[1] > 0, "a method that predicts has an Embedding.source to predict from"
        action = self.make_action(frozen.action, NUM_ROWS)
        predicted = frozen.predict(embedding.source, action)
        assert predicted.shape == embedding.target.shape, "predict returns [B, E], as Embedding.target is"
        assert torch.isfinite(predicted).all(), "predictions are finite"
        alone = [frozen.predict(embedding.source[n : n + 1], action[n : n + 1]) for n in range(NUM_ROWS)]
        assert is_close(predicted, torch.cat(alone)), (
            "in eval() mode a prediction does not depend on other rows"
        )

    @pytest.mark.usefixtures("classifies")
    def test_logits_are_of_every_category(
        self, frozen: Method, embedding: Embedding, dataset: Dataset
    ) -> None:
        """The logits have one column for each category of the data set."""
        assert isinstance(frozen, Classifies)
        logits = frozen.classify(embedding.representation)
        assert logits.shape == (NUM_ROWS, len(dataset.categories)), "classify returns logits [B, categories]"
        assert torch.isfinite(logits).all(), "logits are finite"

    @pytest.mark.usefixtures("aggregates")
    def test_several_views_are_one_embedding(self, frozen: Method, embedding: Embedding) -> None:
        """One view, or three views with the two actions between them, become one embedding."""
        assert isinstance(frozen, Aggregates)
        for num_views in (1, 3):
            views = embedding.representation.reshape(NUM_ROWS // 3, 3, -1)[:, :num_views]
            aggregated = frozen.aggregate(
                views, self.make_action(frozen.action, NUM_ROWS // 3, num_views - 1)
            )
            rule = f"aggregate returns one embedding of {num_views} views, [B, A]"
            assert aggregated.shape[:1] == (NUM_ROWS // 3,), rule
            assert aggregated.ndim == 2, rule
            assert torch.isfinite(aggregated).all(), "an embedding of several views is finite"
