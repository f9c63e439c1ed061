"""Selections in an evaluation: what heads are trained on, and what is scored."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from turntable.datasets import Dataset, Selection, are_disjoint
from turntable.errors import InvalidInputError
from turntable.evaluation.features import SplitFeatures
from turntable.evaluation.figure_data import FigureData, IntArray, RetrievalExamples


@dataclass(frozen=True, slots=True)
class SplitSelections:
    """The selections of the first data set that an evaluation takes."""

    train: Selection = Selection()
    """Selection from the train split that heads are trained on."""
    scored: Selection = Selection()
    """Selection from the scored split."""

    def check_split(self, split: str, dataset: Dataset) -> None:
        """Check that no view is both trained on and scored.

        Raises:
            InvalidInputError: The scored split is the train split, and the selections may share views.
        """
        if split != "train":
            return
        if not are_disjoint(self.train, self.scored, dataset.manifest.views):
            raise InvalidInputError(
                "heads are trained on the train split: score another split, such as val, or other views or"
                " environments of it (--train-views even --views odd)"
            )

    def describe_protocol(self, protocol: dict[str, Any]) -> dict[str, Any]:
        """Return a protocol's settings, with the selections in them and in its name.

        For whole splits they are as given. By their name, results on selections have files and sections of
        their own.
        """
        chosen = {"trained on": str(self.train), "scored on": str(self.scored)}
        texts = [f"{verb} {each}" for verb, each in chosen.items() if each]
        if not texts:
            return protocol
        name = ", ".join([str(protocol["name"]), *texts])
        return {
            **protocol,
            "name": name,
            "train_selection": str(self.train),
            "scored_selection": str(self.scored),
        }


def select_features(
    features: SplitFeatures, dataset: Dataset, split: str, selection: Selection
) -> SplitFeatures:
    """Return the features and labels of a selection from a split.

    Args:
        features: Features of the whole split.
        dataset: Data set of the split.
        split: Name of the split.
        selection: The selection.

    Raises:
        InvalidInputError: There are no such views or environments, or no object is left.
    """
    if selection.is_whole:
        return features
    rows, views = list_selected(dataset, split, selection)
    here = np.ix_(rows, views)
    return replace(
        features,
        parts={name: part[here] for name, part in features.parts.items()},
        quaternions=features.quaternions[here],
        categories=features.categories[rows],
        object_ids=tuple(features.object_ids[row] for row in rows) if features.object_ids else (),
        labels=None if features.labels is None else features.labels[here],
        source=None if features.source is None else features.source[here],
        target=None if features.target is None else features.target[here],
    )


def locate_figure_data(details: FigureData, dataset: Dataset, split: str, selection: Selection) -> FigureData:
    """Return figure data of a selection with the objects and views numbered as in the whole split."""
    if selection.is_whole:
        return details
    rows, views = list_selected(dataset, split, selection)
    found = details.retrieval
    return replace(
        details,
        projected_objects=rows[details.projected_objects],
        projected_views=views[details.projected_views],
        retrieval=None
        if found is None
        else RetrievalExamples(
            rows[found.objects],
            views[found.source_views],
            views[found.true_views],
            views[found.found_views],
        ),
    )


def list_selected(dataset: Dataset, split: str, selection: Selection) -> tuple[IntArray, IntArray]:
    """Return the rows [N] of the objects and the numbers [V] of the views of a selection."""
    with dataset.open_split(split) as opened:
        return selection.list_objects(opened), selection.list_views(dataset.manifest.views)
