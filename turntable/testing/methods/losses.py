"""Tests of the loss: it reads the declared fields only, is finite, and is lowered by a gradient step."""

import copy
import io

import pytest
import torch

from turntable.datasets import Dataset
from turntable.errors import InvalidInputError
from turntable.models import Method, MethodConfig, MethodEntry
from turntable.testing.expected_errors import expect_error
from turntable.testing.methods.base import Fields, MethodTests, build_method, compute_losses

STEP_LENGTHS = (1e-4, 1e-2, 1e-6)
"""Learning rates of the gradient steps to try, the most likely first."""


class LossTests(MethodTests):
    """Tests of the loss, its gradients, and the weights."""

    def test_it_reads_the_fields_it_declares_and_no_others(self, method: Method, batch: Fields) -> None:
        """The declared fields are enough for the loss; if one is missing, loss and check_reads name it."""
        assert set(method.reads) <= batch.keys(), "a loader yields every field that is declared in `reads`"
        own = {field: batch[field] for field in method.reads}
        try:
            method.loss(own)
        except KeyError as error:
            pytest.fail(f"loss reads the field {error}, which `reads` does not declare")
        method.check_reads(own)
        for field in method.reads:
            fewer = {key: value for key, value in batch.items() if key != field}
            with expect_error(f"`reads` declares {field}, but loss does not read it", KeyError, field):
                method.loss(fewer)
            with expect_error(f"check_reads names {field}", InvalidInputError, f"reads {field}, which"):
                method.check_reads(fewer)

    def test_the_loss_and_its_terms_are_finite_numbers(self, method: Method, batch: Fields) -> None:
        """The loss and its terms are finite scalars, and the loss depends on the weights."""
        for name, value in compute_losses(method, batch).items():
            assert value.shape == (), f"{name} is a scalar, as every term is"
            assert torch.isfinite(value), f"{name} is finite, as every term is"
        assert compute_losses(method, batch)["loss"].requires_grad, '"loss" has a gradient for the weights'

    def test_the_gradient_reaches_every_weight(self, method: Method, batch: Fields) -> None:
        """Each trainable parameter has a finite gradient, or is named in ``untrained_parameters``."""
        compute_losses(method, batch)["loss"].backward()
        trained = {name: item for name, item in method.named_parameters() if item.requires_grad}
        assert trained, "the method has parameters to train"
        without_gradient = [name for name, item in trained.items() if item.grad is None]
        wrong = [
            name for name in without_gradient if not name.startswith(self.untrained_parameters or ("\0",))
        ]
        assert not wrong, (
            f"the loss gives every trainable parameter a gradient, but not {', '.join(wrong[:9])}; set"
            " requires_grad=False for them, or name them in `untrained_parameters`"
        )
        for name, item in trained.items():
            assert item.grad is None or torch.isfinite(item.grad).all(), f"the gradient of {name} is finite"

    def test_a_step_against_the_gradient_lowers_the_loss(self, method: Method, batch: Fields) -> None:
        """A gradient step with one of some learning rates lowers the loss of the same batch."""
        first = compute_losses(method, batch)["loss"]
        first.backward()
        before = copy.deepcopy(method.state_dict())
        for length in STEP_LENGTHS:
            torch.optim.SGD(method.parameters(), lr=length).step()
            if compute_losses(method, batch)["loss"] < first:
                return
            method.load_state_dict(before)
        pytest.fail(
            "a gradient step with a rate of 0.0001, 0.01 or 0.000001 lowers the loss; if the loss draws"
            " random numbers, turn that off in `deterministic_settings`"
        )

    def test_the_same_seed_gives_the_same_loss(
        self, entry: MethodEntry, config: MethodConfig, dataset: Dataset, batch: Fields
    ) -> None:
        """The loss draws random numbers from torch's global generator only."""
        one, two = (compute_losses(build_method(entry, config, dataset), batch) for _ in range(2))
        for name in one:
            assert torch.equal(one[name], two[name]), f"{name} is the same to the bit with the same seed"

    def test_one_row_is_computed_or_refused(self, method: Method, batch: Fields) -> None:
        """The loss of one row is finite; a loss that needs two rows raises an error instead of being NaN."""
        try:
            value = compute_losses(method, {name: values[:1] for name, values in batch.items()})["loss"]
        except (InvalidInputError, ValueError):
            return
        rule = "the loss of one row is finite, or raises InvalidInputError (models.check_num_rows does it)"
        assert torch.isfinite(value), rule

    def test_weights_are_kept_to_the_bit(
        self, entry: MethodEntry, config: MethodConfig, dataset: Dataset, method: Method, batch: Fields
    ) -> None:
        """A method is restored by its ``state_dict``, which loads as plain tensors."""
        compute_losses(method, batch)["loss"].backward()
        torch.optim.SGD(method.parameters(), lr=STEP_LENGTHS[0]).step()
        file = io.BytesIO()
        torch.save(method.state_dict(), file)
        other = build_method(entry, config, dataset, seed=1)
        other.load_state_dict(torch.load(io.BytesIO(file.getvalue()), weights_only=True))
        here, there = compute_losses(method, batch), compute_losses(other, batch)
        for name in here:
            rule = f"{name} is the same to the bit after state_dict and load_state_dict"
            assert torch.equal(here[name], there[name]), rule
