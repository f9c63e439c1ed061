"""Batches of graphs: padded, packed and dense, of numpy and of torch."""

import numpy as np
import pytest
import torch

from turntable.errors import InvalidInputError
from turntable.graphs import iter_graph_batches, list_small_graphs, pack_graphs, to_dense, to_packed

GRAPHS = list_small_graphs(5)


def make_batch(permute=True):
    batch = next(iter_graph_batches(GRAPHS, 30, seed=3, permute=permute))
    colors = np.random.default_rng(0).normal(size=(*batch["vertex_mask"].shape, 2)).astype(np.float32)
    return batch | {"colors": colors}


def test_packed_graphs_are_the_padded_ones_one_after_another():
    batch = make_batch()
    packed = pack_graphs(batch, ["colors"])
    assert packed.ptr.tolist() == [0, *np.cumsum(batch["vertex_count"])]
    assert packed.edge_index.shape == (2, batch["edge_count"].sum())
    assert {packed.edge_index.dtype, packed.batch.dtype, packed.ptr.dtype} == {np.dtype(np.int64)}
    for graph in range(30):
        start, end = packed.ptr[graph : graph + 2]
        count = batch["edge_count"][graph]
        own = packed.edge_index[:, packed.batch[packed.edge_index[0]] == graph] - start
        assert own.T.tolist() == batch["edges"][graph, :count].tolist()
        assert (packed.batch[start:end] == graph).all()
        assert np.array_equal(packed.features["colors"][start:end], batch["colors"][graph, : end - start])


def test_dense_and_packed_are_inverse_to_one_another():
    packed = pack_graphs(make_batch(), ["colors"])
    dense = to_dense(packed)
    again = to_packed(dense)
    for name in ("edge_index", "batch", "ptr"):
        assert np.array_equal(getattr(again, name), getattr(packed, name)), name
    assert np.array_equal(again.features["colors"], packed.features["colors"])
    dense_again = to_dense(again)
    assert np.array_equal(dense_again.adjacency, dense.adjacency)
    assert np.array_equal(dense_again.mask, dense.mask)
    assert np.array_equal(dense_again.features["colors"], dense.features["colors"])


def test_matrices_are_those_of_the_edges():
    batch = make_batch()
    dense = to_dense(pack_graphs(batch, ["colors"]))
    assert dense.adjacency.shape == (30, 5, 5)
    for graph in range(30):
        expected = np.zeros((5, 5), bool)
        for a, b in batch["edges"][graph, : batch["edge_count"][graph]]:
            expected[a, b] = True
        assert np.array_equal(dense.adjacency[graph], expected)
        assert dense.mask[graph].tolist() == [i < batch["vertex_count"][graph] for i in range(5)]
    assert not dense.features["colors"][~dense.mask].any()


def test_torch_gives_the_same_and_gradients():
    batch = make_batch()
    tensors = {name: torch.from_numpy(values) for name, values in batch.items()}
    tensors["colors"].requires_grad_()
    packed, expected = pack_graphs(tensors, ["colors"]), pack_graphs(batch, ["colors"])
    dense, dense_expected = to_dense(packed), to_dense(expected)
    again = to_packed(dense)
    for name in ("edge_index", "batch", "ptr"):
        assert torch.equal(getattr(packed, name), torch.from_numpy(getattr(expected, name))), name
        assert torch.equal(getattr(again, name), getattr(packed, name)), name
    assert torch.equal(dense.adjacency, torch.from_numpy(dense_expected.adjacency))
    assert torch.equal(dense.mask, torch.from_numpy(dense_expected.mask))
    again.features["colors"].sum().backward()
    gradient = tensors["colors"].grad
    assert gradient is not None
    assert torch.equal(gradient[..., 0] == 1, tensors["vertex_mask"])


def test_graphs_without_edges_are_packed():
    batch = {"edges": np.full((2, 0, 2), -1), "vertex_mask": np.array([[True, False], [True, True]])}
    packed = pack_graphs(batch)
    assert packed.edge_index.shape == (2, 0)
    assert packed.ptr.tolist() == [0, 1, 3]
    assert not to_dense(packed).adjacency.any()
    assert to_packed(to_dense(packed)).batch.tolist() == [0, 1, 1]


def test_a_lacking_field_and_one_of_something_else_are_refused():
    batch = make_batch()
    with pytest.raises(InvalidInputError, match=r"no edges and no vertex_mask; give the loader fields="):
        pack_graphs({"view": batch["colors"]})
    with pytest.raises(InvalidInputError, match="no heat"):
        pack_graphs(batch, ["heat"])
    with pytest.raises(InvalidInputError, match=r"label \[30\] is no field of vertices \[30, 5\]"):
        pack_graphs(batch, ["label"])
    several = batch | {"colors": batch["colors"][:, None].repeat(2, axis=1)}
    with pytest.raises(InvalidInputError, match="pack those of one view"):
        pack_graphs(several, ["colors"])
    first = several | {"colors": several["colors"][:, 0]}  # as the message says
    assert len(pack_graphs(first, ["colors"]).features["colors"]) == batch["vertex_count"].sum()
