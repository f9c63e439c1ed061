"""The contract tests of methods fail for a wrong method, and name the rule that it breaks."""

from tests.support.own_methods import MINE

CODE = """
import pytest
import torch

from turntable.models import Embedding, Predicts
from turntable.testing.methods import MethodContract


class WithoutGradient(Mine):
    def __init__(self, config, backbone, data):
        super().__init__(config, backbone, data)
        self.weight = torch.nn.Parameter(torch.ones(()))

    def loss(self, batch):
        return {"loss": (self.weight * batch["view_1"].float().mean() / 255).square()}


class NotFinite(Mine):
    def loss(self, batch):
        return {"loss": super().loss(batch)["loss"] + torch.log(-torch.ones(()))}


class Undeclared(Mine):
    def loss(self, batch):
        return {"loss": super().loss(batch)["loss"] * batch["category"].float().mean()}


class DependsOnBatch(Mine):
    def embed(self, images):
        representation = self.represent(images)
        return Embedding.from_parts(representation - representation.mean(dim=0))


class TooWide(Mine, Predicts):
    action = ("relative_quaternion",)

    def embed(self, images):
        representation = self.represent(images)
        return Embedding.from_parts(representation, source=representation)

    def predict(self, source, action):
        return torch.cat([source, action], dim=1)


class HiddenState(Mine):
    def __init__(self, config, backbone, data):
        super().__init__(config, backbone, data)
        self.hidden = torch.rand(())

    def loss(self, batch):
        return {"loss": self.hidden * super().loss(batch)["loss"]}


def make_test_class(method_class):
    class Tested(MethodContract):
        @pytest.fixture
        def entry(self):
            return MethodEntry(MineConfig, method_class)

    return Tested


TestRight = make_test_class(Mine)
TestWithoutGradient = make_test_class(WithoutGradient)
TestNotFinite = make_test_class(NotFinite)
TestUndeclared = make_test_class(Undeclared)
TestDependsOnBatch = make_test_class(DependsOnBatch)
TestTooWide = make_test_class(TooWide)
TestHiddenState = make_test_class(HiddenState)
"""


def test_a_wrong_method_fails_by_name(fail_by_name):
    wanted = {
        "TestWithoutGradient.test_the_gradient_reaches_every_weight": "a gradient, but not",
        "TestNotFinite.test_the_loss_and_its_terms_are_finite_numbers": "loss is finite, as every term is",
        "TestUndeclared.test_it_reads_the_fields_it_declares_and_no_others": "reads the field 'category'",
        "TestDependsOnBatch.test_a_view_is_embedded_by_itself": "does not depend on the other views",
        "TestTooWide.test_predictions_are_embeddings_of_other_views": "predict returns [B, E]",
        "TestHiddenState.test_weights_are_kept_to_the_bit": "is the same to the bit after state_dict",
    }
    fail_by_name(MINE + CODE, "TestRight", wanted)
