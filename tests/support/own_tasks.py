"""A user's own task, and features that hold what it asks for."""

import dataclasses

import numpy as np

from turntable.evaluation import Protocol, ScoreColumn, ScoreFinding, ScoreTable, SplitFeatures
from turntable.evaluation.measurement import BootstrapConfig
from turntable.evaluation.tasks import FeatureTask, FittedTask

CLASSES = 4
FEW = BootstrapConfig(20)


def split_of(objects=12, views=4, seed=0, **changes):
    """Features that name the category in their first numbers and a hidden number in the last."""
    generator = np.random.default_rng(seed)
    categories = np.arange(objects) % CLASSES
    quaternions = generator.normal(size=(objects, views, 4))
    quaternions /= np.linalg.norm(quaternions, axis=2, keepdims=True)
    named = np.broadcast_to(np.eye(CLASSES)[categories][:, None], (objects, views, CLASSES))
    features = np.concatenate([named, quaternions[..., :1]], axis=2).astype(np.float32)
    made = SplitFeatures({"representation": features}, quaternions, categories, num_categories=CLASSES)
    return dataclasses.replace(made, **changes)


def only(*tasks):
    return Protocol("mine", tasks, resampling=FEW)


@dataclasses.dataclass(frozen=True)
class HiddenNumber(FeatureTask):
    """A user's own: the last number of a part, by scaling it."""

    scale: float = 1.0
    name = "hidden"
    title = "hidden number"
    tables = (
        ScoreTable(
            "What is hidden",
            "How far it is missed.",
            (ScoreColumn("hidden_error", "missed by", "m", digits=2, lower_is_better=True, short="hidden"),),
            ScoreFinding(
                "hidden_error", "{who} misses it by {hidden_error}", "the mean misses by {hidden_error}"
            ),
        ),
    )
    main_metrics = ("hidden_error",)

    def fit(self, row, train, method=None):
        return FittedTask(
            lambda place: self.missed(place, self.scale * place.split.parts[row][..., -1]),
            train.split.parts[row].shape[2],
        )

    def build_baselines(self, train):
        mean = train.split.quaternions[..., 0].mean()
        nearest = np.median(train.split.quaternions[..., 0])
        return {
            "constant": lambda place: self.missed(place, mean),
            "baseline_median": lambda place: self.missed(place, nearest),
        }

    def missed(self, place, told):
        return {"hidden_error": place.resamples.compute_mean(np.abs(told - place.split.quaternions[..., 0]))}
