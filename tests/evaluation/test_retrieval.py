"""Retrieval by a method whose predictions are known: perfect, blind, and off by a known angle."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from turntable.errors import IntegrityError, InvalidInputError
from turntable.evaluation import FigureData, SplitFeatures, merge_figure_data, read_figure_data
from turntable.evaluation.figure_data import RetrievalExamples, write_figure_data
from turntable.evaluation.measurement import BootstrapConfig, BootstrapResamples, retrieval
from turntable.evaluation.tasks.prediction import (
    compute_constant_scores,
    compute_predictor_scores,
    find_retrieval_examples,
    measure_split,
)
from turntable.geometry import quaternion_to_matrix

FEW = BootstrapConfig(50)


def poses(objects=6, views=50, seed=0):
    generator = np.random.default_rng(seed)
    angles = generator.uniform(-np.pi / 2, np.pi / 2, (objects * views, 3))
    return Rotation.from_euler("xyz", angles).as_quat().reshape(objects, views, 4)


def split_of(quaternions, embeddings):
    embeddings = embeddings.astype(np.float32)
    return SplitFeatures(
        {}, quaternions, np.zeros(len(quaternions), np.int64), source=embeddings, target=embeddings
    )


def perfect(split):
    return lambda objects, start, end: torch.from_numpy(split.target[objects, end])


def scores_of(predict, split, sources=None):
    sources = split.num_views if sources is None else sources
    return {
        name: score.value
        for name, score in compute_predictor_scores(
            measure_split(predict, split, sources, {"": split}), BootstrapResamples(split.num_objects, FEW)
        ).items()
    }


@pytest.fixture(scope="module")
def turned():
    """Embeddings that are the rotation itself."""
    quaternions = poses()
    return split_of(quaternions, quaternion_to_matrix(quaternions).reshape(6, 50, 9))


def test_a_perfect_encoder_with_the_analytic_predictor_finds_every_view(turned):
    matrices = turned.target.reshape(6, 50, 3, 3)

    def analytic(objects, start, end):
        relative = np.swapaxes(matrices[objects, start], 1, 2) @ matrices[objects, end]
        return torch.from_numpy((matrices[objects, start] @ relative).reshape(-1, 9))

    scores = scores_of(analytic, turned)
    assert scores["mrr"] == scores["mrr_without_identity"] == pytest.approx(1)
    assert scores["h_at_1"] == scores["h_at_1_without_identity"] == pytest.approx(1)
    assert scores["pre"] == pytest.approx(0, abs=1e-6)
    assert scores["equivariance_residual"] == pytest.approx(0, abs=1e-5)


def test_an_encoder_that_says_nothing_gets_chance():
    blind = split_of(poses(), np.ones((6, 50, 8)))
    scores = scores_of(perfect(blind), blind)
    assert scores["mrr"] == pytest.approx(np.mean(1 / np.arange(1, 51)))  # 0.090
    assert [scores[f"h_at_{k}"] for k in (1, 2, 5, 10)] == pytest.approx([0.02, 0.04, 0.1, 0.2])
    assert scores["mrr_without_identity"] == pytest.approx(np.mean(1 / np.arange(1, 50)))
    assert scores["h_at_1_without_identity"] == pytest.approx(1 / 49)


def test_pre_of_an_encoder_that_says_nothing_is_that_of_a_pose_at_random():
    blind = split_of(poses(), np.ones((6, 50, 8)))
    q = blind.quaternions.reshape(-1, 4)
    every_pair = np.mean(1 - np.square(q @ q.T))
    assert scores_of(perfect(blind), blind)["pre"] == pytest.approx(every_pair, abs=1e-5)
    assert every_pair == pytest.approx(0.63, abs=0.02)  # of the box of 3DIEBench


def test_of_candidates_equally_near_their_poses_are_averaged():
    q = Rotation.from_rotvec([[0, 0, 0], [np.pi / 2, 0, 0], [0, np.pi, 0]]).as_quat()
    targets = np.array([[1, 0], [2, 0], [0, 1]], np.float32)  # the first two in one direction
    found = retrieval.measure_retrieval(
        lambda o, s, e: torch.from_numpy(targets[:1][np.zeros(len(o), int)]),
        retrieval.EmbeddedViews(targets[None, :1], targets[None, :1], q[None, :1]),
        1,
        {"": retrieval.PoseCandidates(targets, q)},
    )
    assert found.pose_errors[""].item() == pytest.approx((0 + 0.5) / 2)


def test_what_sees_nothing_stands_beside_every_metric(turned):
    resamples = BootstrapResamples(6, FEW)
    where, mean = {"": turned}, torch.from_numpy(turned.target.mean(axis=(0, 1)))
    for sources in (50, 3):
        found = measure_split(perfect(turned), turned, sources, where)
        blind = compute_constant_scores(turned, turned, sources, where, resamples)
        assert set(blind) == set(compute_predictor_scores(found, resamples))
        constant = measure_split(lambda o, s, e: mean.expand(len(o), -1), turned, sources, where)
        literal = compute_predictor_scores(constant, resamples)["equivariance_residual"]
        assert blind["equivariance_residual"].value == pytest.approx(literal.value, rel=1e-5)
        assert blind["equivariance_residual"].low == pytest.approx(literal.low, rel=1e-5)
        # Embeddings of views that are drawn apart lie further from one another than from their mean.
        assert blind["equivariance_residual"].value == pytest.approx(2**-0.5, abs=0.01)
    assert blind["pre"].value == pytest.approx(0.63, abs=0.02)


@settings(max_examples=30)
@given(st.integers(2, 12), st.integers(1, 12), st.integers(0, 1000))
def test_ranks_of_ties_are_those_of_a_random_order(nearer, equal, seed):
    """Against ranks drawn: 1 / rank and hits are expectations over the order of those equally near."""
    ranks = retrieval.ViewRanks(np.array([[float(nearer)]]), np.array([[float(equal)]]))
    drawn = nearer + np.random.default_rng(seed).integers(1, equal + 1, 20_000)
    assert ranks.compute_reciprocal_ranks().item() == pytest.approx((1 / drawn).mean(), rel=0.02)
    for k in retrieval.HIT_RANKS:
        assert ranks.compute_hits(k).item() == pytest.approx((drawn <= k).mean(), abs=0.02)


def test_an_identity_predictor_finds_itself_and_is_no_better_than_staying(turned):
    scores = scores_of(lambda o, start, end: torch.from_numpy(turned.target[o, start]), turned)
    assert scores["equivariance_residual"] == pytest.approx(1)
    assert scores["h_at_1"] == pytest.approx(1 / 50, abs=1e-6)  # the identity query alone


@pytest.mark.parametrize("degrees", [10, 30, 60])
def test_pre_of_a_pose_that_is_off_by_an_angle_is_the_squared_sine_of_its_half(degrees):
    quaternions = poses(3, 1)
    off = (
        Rotation.from_quat(quaternions[:, 0]) * Rotation.from_rotvec([0, 0, np.radians(degrees)])
    ).as_quat()
    target = np.eye(3, dtype=np.float32)[:, None]
    found = retrieval.measure_retrieval(
        lambda o, s, e: torch.from_numpy(target[o, e]),
        retrieval.EmbeddedViews(target, target, quaternions),
        1,
        {"": retrieval.PoseCandidates(target[:, 0], off)},
    )
    assert found.pose_errors[""].ravel() == pytest.approx(np.full(3, np.sin(np.radians(degrees) / 2) ** 2))


def test_the_sign_of_quaternions_changes_nothing(turned):
    flipped = split_of(-turned.quaternions, turned.target)
    assert scores_of(perfect(turned), turned) == scores_of(perfect(flipped), flipped)


def test_the_order_of_objects_changes_no_metric(turned):
    order = np.random.default_rng(0).permutation(6)
    other = split_of(turned.quaternions[order], turned.target[order])
    noise = np.random.default_rng(1).normal(scale=0.3, size=turned.target.shape).astype(np.float32)

    def noisy(split, noise):
        return lambda o, s, e: torch.from_numpy(split.target[o, e] + noise[o, s])

    here, there = scores_of(noisy(turned, noise), turned, 5), scores_of(noisy(other, noise[order]), other, 5)
    assert here == pytest.approx(there)
    assert 0 < here["mrr_without_identity"] < 1


def test_first_views_alone_may_be_predicted_from(turned):
    asked = []

    def predict(objects, start, end):
        asked.extend(start)
        return torch.from_numpy(turned.target[objects, end])

    views = retrieval.EmbeddedViews(turned.source, turned.target, turned.quaternions)
    found = retrieval.measure_retrieval(predict, views, 1, {})
    assert set(asked) == {0}
    assert found.ranks.num_nearer.shape == (6, 50)
    assert found.ranks_without_identity.num_nearer.shape == (6, 49)


def test_examples_leave_out_the_view_that_is_predicted_from(turned):
    shown = find_retrieval_examples(perfect(turned), turned, seed=0)
    assert (shown.found_views[:, 0] == shown.true_views).all()
    assert not (shown.found_views == shown.source_views[:, None]).any()


def test_details_survive_the_disk(tmp_path):
    some = np.arange(4)
    details = FigureData(
        some / 2,
        {"representation": some * 1.0},
        {"invariant": np.ones((3, 2))},
        some,
        some,
        some,
        RetrievalExamples(some, some, some, np.ones((4, 5), int)),
    )
    write_figure_data(tmp_path / "details.npz", details)
    back = read_figure_data(tmp_path / "details.npz")
    assert back.turn_deg.tolist() == details.turn_deg.tolist()
    assert back.errors_deg["representation"].tolist() == [0, 1, 2, 3]
    assert back.retrieval.found_views.shape == (4, 5)
    write_figure_data(tmp_path / "none.npz", FigureData(some, {}, {}, some, some, some))
    assert read_figure_data(tmp_path / "none.npz").retrieval is None
    (tmp_path / "details.npz").write_bytes(b"PK nonsense")
    with pytest.raises(IntegrityError, match="details of an evaluation"):
        read_figure_data(tmp_path / "details.npz")


def test_details_of_runs_together_are_named_by_run_and_part():
    some, turns = np.zeros(2, np.int64), np.array([10.0, 20.0])
    retrieval = RetrievalExamples(*(np.zeros(1, np.int64) for _ in range(3)), np.zeros((1, 5), np.int64))

    def of(value, found=None, turned=turns):
        return FigureData(turned, {"equivariant": turns + value}, {"whole": turns}, some, some, some, found)

    both = merge_figure_data({"first": of(1), "second": of(2, retrieval)})
    assert list(both.errors_deg) == ["first equivariant", "second equivariant"]
    assert list(both.projections) == ["first whole", "second whole"]
    np.testing.assert_array_equal(both.errors_deg["second equivariant"], turns + 2)
    assert both.retrieval is retrieval
    with pytest.raises(
        InvalidInputError, match=r"first, third were not evaluated on the same pairs.*turn_deg"
    ):
        merge_figure_data({"first": of(1), "third": of(1, turned=turns + 1)})
