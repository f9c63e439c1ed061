import pytest
import torch

from tests.support.made_up import results, scores
from turntable.evaluation import Row


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
        Row("representation", 512, scores(top1=0.91)),
        Row("equivariant", 256, scores(r2_averaged=0.61, geodesic_median_deg=21.4)),
    )
    return [sie, results("vicreg", Row("representation", 512, scores(top1=0.95, r2_averaged=0.2)))]
