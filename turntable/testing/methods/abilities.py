"""What a method can do beside its loss, as evaluation asks for it."""

from collections.abc import Mapping
from typing import Any

import pytest
import torch
from torch import Tensor

from turntable.datasets import Dataset
from turntable.geometry import relative_label
from turntable.models import Aggregates, Classifies, Embedding, Embeds, Method, MethodEntry, Predicts
from turntable.testing.methods.trial import ROWS, Fields, MethodTests, single_views

PARTS = ("representation", "invariant", "equivariant", "source", "target")


def close(one: Tensor, other: Tensor) -> bool:
    """Return whether two tensors are the same but for the rounding of sums."""
    return one.shape == other.shape and torch.allclose(one, other, rtol=1e-4, atol=1e-5)


def row_of(fields: Mapping[str, Tensor], number: int) -> list[Tensor]:
    """Return one row of fields, as a batch of one."""
    return [values[number : number + 1] for values in fields.values()]


def needs(ability: type) -> Any:
    """Return a fixture that skips the tests of an ability where the method does not have it."""

    @pytest.fixture
    def skip(self: MethodTests, entry: MethodEntry) -> None:  # noqa: ARG001
        if not issubclass(entry.method, ability):
            pytest.skip(f"the method lacks the ability {ability.__name__}")

    return skip


class AbilityTests(MethodTests):
    """Embeds, Predicts, Classifies, Aggregates; one that a method does not have is skipped."""

    embeds, predicts = needs(Embeds), needs(Predicts)
    classifies, aggregates = needs(Classifies), needs(Aggregates)

    @pytest.fixture
    def frozen(self, method: Method) -> Method:
        """The method as evaluation has it: in ``eval()`` mode, without gradients."""
        return method.eval().requires_grad_(False)

    @pytest.fixture
    def views(self, frozen: Method, dataset: Dataset) -> Fields:
        """The fields of single views that it embeds."""
        assert isinstance(frozen, Embeds), "a method that predicts, classifies or aggregates embeds as well"
        return single_views(dataset, frozen.embeds_from)

    @pytest.fixture
    def embedding(self, frozen: Method, views: Fields) -> Embedding:
        """What it makes of them."""
        assert isinstance(frozen, Embeds)
        return frozen.embed(*views.values())

    def action(self, labels: tuple[str, ...], *shape: int) -> Tensor:
        """Return numbers [..., K] in the place of an action that is told by some labels."""
        width = sum(relative_label(label).width for label in labels)
        return torch.randn(*shape, width, generator=torch.Generator().manual_seed(0))

    @pytest.mark.usefixtures("embeds")
    def test_embeddings_are_rows_of_finite_numbers(self, embedding: Embedding) -> None:
        """A row a view in each part; a part that the method does not have is of width 0."""
        for part in PARTS:
            values: Tensor = getattr(embedding, part)
            assert values.shape[:1] == (ROWS,), f"{part} has a row for each view"
            assert values.ndim == 2, f"{part} is [B, width], of width 0 where the method does not have it"
            assert torch.isfinite(values).all(), f"{part} is finite"
        assert embedding.representation.shape[1] > 0, "the representation has numbers"
        assert embedding.source.shape == embedding.target.shape, "source and target are of one width"

    @pytest.mark.usefixtures("embeds")
    def test_a_view_is_embedded_by_itself(self, frozen: Method, views: Fields, embedding: Embedding) -> None:
        """In ``eval()`` mode an embedding does not depend on the other views of the batch."""
        assert isinstance(frozen, Embeds)
        alone = [frozen.embed(*row_of(views, number)) for number in range(ROWS)]
        for part in PARTS:
            wanted = f"in eval() mode {part} of a view does not depend on the views beside it"
            assert close(getattr(embedding, part), torch.cat([getattr(one, part) for one in alone])), wanted

    @pytest.mark.usefixtures("predicts")
    def test_predictions_are_embeddings_of_other_views(self, frozen: Method, embedding: Embedding) -> None:
        """One prediction a row, as wide as what it should arrive at, each by itself."""
        assert isinstance(frozen, Predicts)
        assert embedding.source.shape[1] > 0, "a method that predicts has Embedding.source to start from"
        action = self.action(frozen.action, ROWS)
        predicted = frozen.predict(embedding.source, action)
        assert predicted.shape == embedding.target.shape, "predict gives [B, E], as Embedding.target is"
        assert torch.isfinite(predicted).all(), "predictions are finite"
        alone = [frozen.predict(embedding.source[n : n + 1], action[n : n + 1]) for n in range(ROWS)]
        assert close(predicted, torch.cat(alone)), "in eval() mode a prediction does not depend on other rows"

    @pytest.mark.usefixtures("classifies")
    def test_logits_are_of_every_category(
        self, frozen: Method, embedding: Embedding, dataset: Dataset
    ) -> None:
        """One number for each category of the data."""
        assert isinstance(frozen, Classifies)
        logits = frozen.classify(embedding.representation)
        assert logits.shape == (ROWS, len(dataset.categories)), "classify gives logits [B, categories]"
        assert torch.isfinite(logits).all(), "logits are finite"

    @pytest.mark.usefixtures("aggregates")
    def test_several_views_are_one_embedding(self, frozen: Method, embedding: Embedding) -> None:
        """Of one view, and of three with the two steps between them."""
        assert isinstance(frozen, Aggregates)
        for views in (1, 3):
            seen = embedding.representation.reshape(ROWS // 3, 3, -1)[:, :views]
            found = frozen.aggregate(seen, self.action(frozen.action, ROWS // 3, views - 1))
            assert found.shape[:1] == (ROWS // 3,), f"aggregate embeds {views} views as one, [B, A]"
            assert found.ndim == 2, f"aggregate embeds {views} views as one, [B, A]"
            assert torch.isfinite(found).all(), "what is embedded together is finite"
