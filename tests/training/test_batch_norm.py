"""Over ranks it is proven in test_ranks; here, that it is a plain batch norm where there are none."""

import pytest
import torch
from torch import nn

from turntable.training import convert_sync_batch_norm
from turntable.training.steps.batch_norm import SharedBatchNorm


def network():
    torch.manual_seed(0)
    norms = nn.BatchNorm2d(4), nn.BatchNorm1d(4, affine=False)
    return nn.Sequential(nn.Conv2d(3, 4, 3), norms[0], nn.Flatten(2), nn.Sequential(norms[1]))


def test_all_batch_norms_are_replaced_and_keep_their_tensors():
    plain = network()
    before = {**dict(plain.named_parameters()), **dict(plain.named_buffers())}
    shared = convert_sync_batch_norm(plain)
    assert shared is plain
    assert isinstance(shared[1], SharedBatchNorm)
    assert isinstance(shared[3][0], SharedBatchNorm)
    after = {**dict(shared.named_parameters()), **dict(shared.named_buffers())}
    assert list(after) == list(before)
    assert all(after[name] is before[name] for name in before)
    assert shared.state_dict().keys() == network().state_dict().keys()


@pytest.mark.parametrize("training", [True, False])
def test_alone_it_is_what_it_replaces(training):
    plain, shared = network().train(training), convert_sync_batch_norm(network().train(training))
    assert shared[1].training == training
    x = torch.randn(5, 3, 8, 8)
    assert torch.equal(plain(x), shared(x))
    for one, two in zip(plain.buffers(), shared.buffers(), strict=True):
        assert torch.equal(one, two)


def test_a_batch_norm_itself_is_answered_with_its_replacement():
    shared = convert_sync_batch_norm(nn.BatchNorm1d(3))
    assert isinstance(shared, SharedBatchNorm)
    assert convert_sync_batch_norm(shared) is shared
    with pytest.raises(ValueError, match=r"over \[B, C, ...\]"):
        shared(torch.zeros(3))
