"""A test of a whole run: the method is trained, loaded again and evaluated on a small data set."""

from pathlib import Path

import torch

from turntable.datasets import Dataset
from turntable.evaluation import Protocol, evaluate
from turntable.evaluation.measurement import BootstrapConfig, ProbeConfig
from turntable.evaluation.tasks import Classification, OwnClassifier, Prediction
from turntable.models import Embeds
from turntable.testing.methods.base import MethodTests
from turntable.training import TrainConfig, load_method, open_run, read_records, train

BRIEF = Protocol(
    "brief",
    (Classification(ProbeConfig(epochs=1)), OwnClassifier(), Prediction()),
    resampling=BootstrapConfig(10),
)


class RunTests(MethodTests):
    """A test of a training run of one epoch and its evaluation."""

    def test_it_trains_and_is_evaluated(
        self, settings: TrainConfig, dataset: Dataset, tmp_path: Path
    ) -> None:
        """The method trains for an epoch, and evaluation scores its representation."""
        run = open_run(train(settings, tmp_path / "run"))
        records = read_records(run.records_path)
        assert records, "a training run of one epoch writes records"
        method = load_method(run)
        assert all(torch.isfinite(item).all() for item in method.parameters()), "trained weights are finite"
        if isinstance(method, Embeds):
            results = evaluate(run.folder, dataset.path_or_url, protocol=BRIEF)
            assert results.get_row("representation").scores, "evaluation scores the representation"
