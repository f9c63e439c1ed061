"""A method in the product: trained, opened again and evaluated on a small data set."""

from pathlib import Path

import torch

from turntable.datasets import Dataset
from turntable.evaluation import Protocol, evaluate
from turntable.evaluation.numbers import ProbeConfig, Resampling
from turntable.evaluation.tasks import Classification, OwnClassifier, Prediction
from turntable.models import Embeds
from turntable.testing.methods.trial import MethodTests
from turntable.training import TrainConfig, load_method, open_run, read_records, train

BRIEF = Protocol(
    "brief", (Classification(ProbeConfig(epochs=1)), OwnClassifier(), Prediction()), resampling=Resampling(10)
)


class RunTests(MethodTests):
    """A training of one epoch, and what evaluation finds."""

    def test_it_trains_and_is_evaluated(
        self, settings: TrainConfig, dataset: Dataset, tmp_path: Path
    ) -> None:
        """From the data set's pictures to a table of scores."""
        run = open_run(train(settings, tmp_path / "run"))
        records = read_records(run.records)
        assert records, "a training of one epoch leaves records"
        method = load_method(run)
        assert all(torch.isfinite(item).all() for item in method.parameters()), "trained weights are finite"
        if isinstance(method, Embeds):
            results = evaluate(run.folder, dataset.place, protocol=BRIEF)
            assert results.row("representation").scores, "evaluation scores the representation"
