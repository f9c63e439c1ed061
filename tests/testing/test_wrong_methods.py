"""The contract of methods finds what is wrong with one, and says what it wants."""

from tests.support.own_methods import MINE

CODE = """
import pytest
import torch

from turntable.models import Embedding, Predicts
from turntable.testing.methods import MethodContract


class Apart(Mine):
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


class SeesTheBatch(Mine):
    def embed(self, images):
        representation = self.represent(images)
        return Embedding.of(representation - representation.mean(dim=0))


class Wide(Mine, Predicts):
    action = ("relative_quaternion",)

    def embed(self, images):
        representation = self.represent(images)
        return Embedding.of(representation, source=representation)

    def predict(self, source, action):
        return torch.cat([source, action], dim=1)


class Forgetful(Mine):
    def __init__(self, config, backbone, data):
        super().__init__(config, backbone, data)
        self.hidden = torch.rand(())

    def loss(self, batch):
        return {"loss": self.hidden * super().loss(batch)["loss"]}


def tested(kind):
    class Tested(MethodContract):
        @pytest.fixture
        def entry(self):
            return MethodEntry(MineConfig, kind)

    return Tested


TestRight, TestApart, TestNotFinite = tested(Mine), tested(Apart), tested(NotFinite)
TestUndeclared, TestSeesTheBatch, TestWide = tested(Undeclared), tested(SeesTheBatch), tested(Wide)
TestForgetful = tested(Forgetful)
"""


def test_a_wrong_method_fails_by_name(fail_by_name):
    wanted = {
        "TestApart.test_the_gradient_reaches_every_weight": "the loss reaches every trainable parameter",
        "TestNotFinite.test_the_loss_and_its_terms_are_finite_numbers": "loss is finite, as every term is",
        "TestUndeclared.test_it_reads_the_fields_it_declares_and_no_others": "asks for the field 'category'",
        "TestSeesTheBatch.test_a_view_is_embedded_by_itself": "does not depend on the views beside it",
        "TestWide.test_predictions_are_embeddings_of_other_views": "predict gives [B, E]",
        "TestForgetful.test_weights_are_kept_to_the_bit": "is the same to the bit after state_dict",
    }
    fail_by_name(MINE + CODE, "TestRight", wanted)
