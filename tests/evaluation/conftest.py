import pytest
import torch

from tests.support.made_up import results, scores
from tests.support.own_tasks import HiddenNumber, only
from turntable.evaluation import ScoreRow, evaluate
from turntable.evaluation.tasks import NearestNeighbors
from turntable.testing.datasets import make_synthetic_dataset
from turntable.training import make_demo_config, train


@pytest.fixture(scope="session", autouse=True)
def one_thread():
    """Tensors this small lose more to waiting for other threads than they gain."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def both():
    """The made-up results of two methods."""
    sie = results(
        "sie",
        ScoreRow("representation", 512, scores(top1=0.91)),
        ScoreRow("equivariant", 256, scores(r2_averaged=0.61, geodesic_median_deg=21.4)),
    )
    return [sie, results("vicreg", ScoreRow("representation", 512, scores(top1=0.95, r2_averaged=0.2)))]


@pytest.fixture(scope="session")
def evaluated(tmp_path_factory):
    """A run, evaluated by a protocol of a user's own."""
    folder = tmp_path_factory.mktemp("own")
    dataset = make_synthetic_dataset(folder / "set", num_objects=8)
    run = train(make_demo_config("vicreg", folder / "set", epochs=1, batch_size=4), folder / "run")
    return (
        dataset,
        run,
        evaluate(run, dataset.path_or_url, protocol=only(NearestNeighbors(), HiddenNumber(2.0))),
    )
