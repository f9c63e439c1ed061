import numpy as np
import torch

from turntable.evaluation.measurement import ProbeConfig, train_classifier, train_regressor


def clusters(count, seed=0):
    generator = np.random.default_rng(seed)
    categories = generator.integers(3, size=count)
    centres = np.array([[4, 0], [-4, 0], [0, 4]])
    return (centres[categories] + generator.normal(size=(count, 2))).astype(np.float32), categories


def test_a_classifier_separates_clusters_of_views_it_has_not_seen():
    probe = train_classifier(*clusters(300), 3, ProbeConfig(epochs=60, learning_rate=5e-2, cosine=True))
    features, categories = clusters(200, seed=1)
    assert np.mean(probe(features).argmax(axis=1) == categories) > 0.97


def test_standardizing_makes_the_scale_of_features_not_matter():
    features, categories = clusters(300)
    config = ProbeConfig(epochs=5, standardize=True)
    plain = train_classifier(features, categories, 3, config)(features)
    scaled = features * np.float32([1024, 1 / 1024]) + np.float32([64, 0])
    assert np.allclose(train_classifier(scaled, categories, 3, config)(scaled), plain, atol=1e-3)
    silent = np.concatenate([features, np.full((300, 1), 7, np.float32)], axis=1)
    assert np.isfinite(train_classifier(silent, categories, 3, config)(silent)).all()


def test_a_linear_rotation_head_finds_a_linear_answer():
    generator = np.random.default_rng(0)
    features = generator.normal(size=(400, 4)).astype(np.float32)

    def draw_pairs(epoch):
        rows = np.random.default_rng(epoch).integers(400, size=(400, 2))
        return rows, (features[rows[:, 1]] - features[rows[:, 0]]) / 2

    probe = train_regressor(
        features, draw_pairs, False, ProbeConfig(epochs=60, learning_rate=5e-2, cosine=True)
    )
    rows, target = draw_pairs(1000)
    assert np.abs(probe(features[rows].reshape(400, -1)) - target).max() < 0.02


def test_training_is_deterministic_and_leaves_the_callers_generator_alone():
    config = ProbeConfig(epochs=2)
    torch.manual_seed(1)
    before = torch.get_rng_state()
    first = train_classifier(*clusters(50), 3, config)(clusters(50)[0])
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(2)
    assert np.array_equal(train_classifier(*clusters(50), 3, config)(clusters(50)[0]), first)
    other = train_classifier(*clusters(50), 3, ProbeConfig(epochs=2, seed=1))(clusters(50)[0])
    assert not np.array_equal(other, first)


def test_the_rate_is_constant_or_falls():
    assert [ProbeConfig(epochs=3).compute_learning_rate(epoch) for epoch in range(3)] == [1e-3] * 3
    falling = [ProbeConfig(epochs=4, cosine=True).compute_learning_rate(epoch) for epoch in range(4)]
    assert falling[0] == 1e-3
    assert falling == sorted(falling, reverse=True)


def test_a_probe_applies_in_parts_as_in_whole():
    features, categories = clusters(100)
    probe = train_classifier(features, categories, 3, ProbeConfig(epochs=1))
    assert np.allclose(probe(features, batch_size=7), probe(features), atol=1e-6)
