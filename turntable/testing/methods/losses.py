"""The loss of a method: of the fields that it declares, finite, and lowered by its gradient."""

import copy
import io

import pytest
import torch

from turntable.datasets import Dataset
from turntable.errors import InvalidInputError
from turntable.models import Method, MethodConfig, MethodEntry
from turntable.testing.methods.trial import Fields, MethodTests, built, losses_of
from turntable.testing.refusing import refused

LENGTHS = (1e-4, 1e-2, 1e-6)
"""Of steps against the gradient."""


class LossTests(MethodTests):
    """The loss, its gradients, and the weights."""

    def test_it_reads_the_fields_it_declares_and_no_others(self, method: Method, batch: Fields) -> None:
        """With those fields alone there is a loss; without any of them there is none, and it is said."""
        assert set(method.reads) <= batch.keys(), "a loader gives every field that is declared in `reads`"
        own = {field: batch[field] for field in method.reads}
        try:
            method.loss(own)
        except KeyError as error:
            pytest.fail(f"loss asks for the field {error}, which `reads` does not declare")
        method.check_reads(own)
        for field in method.reads:
            fewer = {key: value for key, value in batch.items() if key != field}
            with refused(f"`reads` declares {field}, and loss does not ask for it", KeyError, field):
                method.loss(fewer)
            with refused(f"check_reads names {field}", InvalidInputError, f"reads {field}, which"):
                method.check_reads(fewer)

    def test_the_loss_and_its_terms_are_finite_numbers(self, method: Method, batch: Fields) -> None:
        """Scalars, of which the loss leads back to the weights."""
        for name, value in losses_of(method, batch).items():
            assert value.shape == (), f"{name} is a scalar, as every term is"
            assert torch.isfinite(value), f"{name} is finite, as every term is"
        assert losses_of(method, batch)["loss"].requires_grad, '"loss" leads back to the weights'

    def test_the_gradient_reaches_every_weight(self, method: Method, batch: Fields) -> None:
        """Each trainable parameter has a gradient that is finite, or is named in ``unreached``."""
        losses_of(method, batch)["loss"].backward()
        trained = {name: item for name, item in method.named_parameters() if item.requires_grad}
        assert trained, "the method has parameters to train"
        apart = [name for name, item in trained.items() if item.grad is None]
        wrong = [name for name in apart if not name.startswith(self.unreached or ("\0",))]
        assert not wrong, (
            f"the loss reaches every trainable parameter, and not {', '.join(wrong[:9])}; give them"
            " requires_grad=False, or name them in `unreached`"
        )
        for name, item in trained.items():
            assert item.grad is None or torch.isfinite(item.grad).all(), f"the gradient of {name} is finite"

    def test_a_step_against_the_gradient_lowers_the_loss(self, method: Method, batch: Fields) -> None:
        """A short step of one of some lengths."""
        first = losses_of(method, batch)["loss"]
        first.backward()
        before = copy.deepcopy(method.state_dict())
        for length in LENGTHS:
            torch.optim.SGD(method.parameters(), lr=length).step()
            if losses_of(method, batch)["loss"] < first:
                return
            method.load_state_dict(before)
        pytest.fail(
            "a step against the gradient lowers the loss, by a rate of 0.0001, 0.01 or 0.000001; where the"
            " loss draws by chance, `steady` is needed"
        )

    def test_the_same_seed_gives_the_same_loss(
        self, entry: MethodEntry, config: MethodConfig, dataset: Dataset, batch: Fields
    ) -> None:
        """Whatever is drawn comes from torch's global generator."""
        one, two = (losses_of(built(entry, config, dataset), batch) for _ in range(2))
        for name in one:
            assert torch.equal(one[name], two[name]), f"{name} is the same to the bit for the same seed"

    def test_one_row_is_computed_or_refused(self, method: Method, batch: Fields) -> None:
        """A loss over rows says that it needs two of them; it is never silent, and no NaN."""
        try:
            value = losses_of(method, {name: values[:1] for name, values in batch.items()})["loss"]
        except (InvalidInputError, ValueError):
            return
        wanted = "the loss of one row is finite, or refused with InvalidInputError (models.check_rows)"
        assert torch.isfinite(value), wanted

    def test_weights_are_kept_to_the_bit(
        self, entry: MethodEntry, config: MethodConfig, dataset: Dataset, method: Method, batch: Fields
    ) -> None:
        """All that a method has learned is in ``state_dict``, and loads as plain tensors."""
        losses_of(method, batch)["loss"].backward()
        torch.optim.SGD(method.parameters(), lr=LENGTHS[0]).step()
        file = io.BytesIO()
        torch.save(method.state_dict(), file)
        other = built(entry, config, dataset, seed=1)
        other.load_state_dict(torch.load(io.BytesIO(file.getvalue()), weights_only=True))
        here, there = losses_of(method, batch), losses_of(other, batch)
        for name in here:
            wanted = f"{name} is the same to the bit after state_dict and load_state_dict"
            assert torch.equal(here[name], there[name]), wanted
