"""Two runs compared file by file."""

import torch

from turntable.training.runs.checkpoints import read_weights


def same_bits(first, second):
    """Check that two folders hold the same weights and records, bit for bit."""
    one, two = read_weights(first / "weights.pt"), read_weights(second / "weights.pt")
    assert all(torch.equal(one[name], two[name]) for name in one)
    assert (first / "records.jsonl").read_bytes() == (second / "records.jsonl").read_bytes()
