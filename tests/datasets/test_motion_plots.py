"""Plots of motion: what is left in a picture is left in them."""

import numpy as np
import pytest

from turntable.datasets import load_recipe
from turntable.datasets.describing.path_plot import PathPreview, plot_paths


def test_paths_are_not_mirrored() -> None:
    """From above, a camera below the page sees +x on its left; from the front it stands at +y."""
    figures = pytest.importorskip("matplotlib.figure")
    figure = figures.Figure()
    places = np.zeros((3, 1, 3))
    places[:, 0] = [[0, 0, 0], [0.1, 0.2, 0.3], [0.2, 0.4, 0.6]]
    plot_paths(figure, load_recipe("charged"), [PathPreview("one", places)])
    above, front = figure.axes[:2]
    np.testing.assert_allclose(above.collections[0].get_offsets(), places[:, 0, [0, 1]])
    np.testing.assert_allclose(front.collections[0].get_offsets(), places[:, 0, [0, 2]])
    assert (above.xaxis_inverted(), above.yaxis_inverted()) == (True, True)
    assert (front.xaxis_inverted(), front.yaxis_inverted()) == (True, False)
    assert list(above.collections[0].get_array()) == [0, 1, 2]
