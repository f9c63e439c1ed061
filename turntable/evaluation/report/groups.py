"""Groups of metrics: what belongs together, what it means, and what of it is worth a sentence."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Column:
    """A metric as tables show it."""

    metric: str
    heading: str
    factor: float = 1
    """By which it is multiplied."""
    digits: int = 3
    lower_is_better: bool = False

    def told(self, value: float) -> str:
        """A value of it, in the digits that mean something."""
        return fixed(self.factor * value, self.digits)


@dataclass(frozen=True, slots=True)
class Finding:
    """A sentence about the best of a group; metrics in braces become their values."""

    metric: str
    """By which the best is found."""
    says: str
    """Of the best, {who}."""
    against: str
    """Of what sees no image."""
    blind: Mapping[str, float] = field(default_factory=dict)
    """What follows from a metric's definition without any image; what sees none counts by the better."""


@dataclass(frozen=True, slots=True)
class Group:
    """Metrics of one kind."""

    title: str
    meaning: str
    """In a sentence, for who does not know them."""
    columns: tuple[Column, ...]
    finding: Finding


def fixed(value: float, digits: int) -> str:
    """A number with so many digits, without a minus before nothing."""
    return f"{round(value, digits) + 0.0:.{digits}f}"


def _rotation(prefix: str) -> tuple[Column, ...]:
    return (
        Column(f"{prefix}r2_pooled", "R² pooled"),
        Column(f"{prefix}r2_averaged", "R² averaged"),
        Column(f"{prefix}geodesic_mean_deg", "error, mean °", 1, 1, lower_is_better=True),
        Column(f"{prefix}geodesic_median_deg", "error, median °", 1, 1, lower_is_better=True),
        Column(f"{prefix}acc_at_15", "within 15°, %", 100, 1),
        Column(f"{prefix}acc_at_30", "within 30°, %", 100, 1),
    )


def _angle(prefix: str) -> Finding:
    r2, degrees = f"{{{prefix}r2_averaged}}", f"{{{prefix}geodesic_median_deg}}"
    return Finding(
        f"{prefix}geodesic_median_deg",
        f"Half of what {{who}} says is wrong by less than {degrees}° (R² averaged {r2})",
        f"of what says the same of all, half by less than {degrees}° (R² averaged {r2})",
    )


def _found(suffix: str) -> tuple[Column, ...]:
    hits = tuple(Column(f"h_at_{k}{suffix}", f"H@{k}, %", 100, 1) for k in (1, 2, 5, 10))
    return (Column(f"mrr{suffix}", "MRR"), *hits)


GROUPS = (
    Group(
        "What the object is",
        "The share of views of objects never seen whose category is named: by a linear head, by the nearest"
        " neighbours, and by a head with fixed directions.",
        (
            Column("top1", "top-1, %", 100, 1),
            Column("knn_top1", "k-NN top-1, %", 100, 1),
            Column("ebv_top1", "fixed directions, %", 100, 1),
        ),
        Finding(
            "top1",
            "A linear head on {who} names the category of {top1} % of the views",
            "always naming the most frequent one is right for {top1} %",
        ),
    ),
    Group(
        "How it was turned between two views",
        "An MLP reads both views. R² pooled is the one that SIE, EquiCaps and CapsIE publish, R² averaged"
        " that of seq-JEPA; they are not comparable. Errors are angles, whatever the sign of the quaternion.",
        _rotation(""),
        _angle(""),
    ),
    Group(
        "How it was turned, by a linear head",
        "What is there without a head that computes.",
        _rotation("linear_"),
        _angle("linear_"),
    ),
    Group(
        "How it stands in one view",
        "An MLP reads one view; quaternions with w at least 0.",
        _rotation("absolute_"),
        _angle("absolute_"),
    ),
    Group(
        "Colour",
        "R² of the differences of both hues between two views; and how far the hue of one view is missed,"
        " around its circle: 0.25 turns is what guessing misses it by.",
        (
            Column("colour_r2_pooled", "R² pooled"),
            Column("colour_r2_averaged", "R² averaged"),
            Column("floor_hue_error_turn", "floor, turns", lower_is_better=True),
            Column("light_hue_error_turn", "light, turns", lower_is_better=True),
        ),
        Finding(
            "colour_r2_averaged",
            "{who} explains {colour_r2_averaged} of the differences of hue",
            "saying the same of all explains {colour_r2_averaged}",
        ),
    ),
    Group(
        "Translation between two views",
        "R² of t2 - t1 in the object's frame, and of R2 t2 - R1 t1 in the world's.",
        (
            Column("translation_object_r2_pooled", "object R² pooled"),
            Column("translation_object_r2_averaged", "object R² averaged"),
            Column("translation_base_r2_pooled", "base R² pooled"),
            Column("translation_base_r2_averaged", "base R² averaged"),
        ),
        Finding(
            "translation_base_r2_averaged",
            "{who} explains {translation_base_r2_averaged} of the translations in the world's frame",
            "saying the same of all explains {translation_base_r2_averaged}",
        ),
    ),
    Group(
        "What the predictor finds",
        "Predictions of every view from others of its object. PRE is sin² of half the angle to the pose"
        " found, 0 at best; MRR and H@k rank the true view among those of its object; the residual compares"
        " the prediction's miss with that of staying where one is, which is 1.",
        (
            Column("pre", "PRE", lower_is_better=True),
            Column("pre_in_train", "PRE in train", lower_is_better=True),
            Column("pre_in_both", "PRE in both", lower_is_better=True),
            *_found(""),
            Column("equivariance_residual", "residual", lower_is_better=True),
        ),
        Finding(
            "equivariance_residual",
            "{who} misses the truth by {equivariance_residual} of the way between the views",
            "staying there, or predicting the same for all, misses by {equivariance_residual}",
            {"equivariance_residual": 1.0},
        ),
    ),
    Group(
        "What it finds among the other views",
        "Without the view that is predicted from: identity is neither asked nor an answer.",
        _found("_without_identity"),
        Finding(
            "mrr_without_identity",
            "The true view is the first that {who} finds for {h_at_1_without_identity} % of the questions"
            " (MRR {mrr_without_identity})",
            "an order by chance has it first for {h_at_1_without_identity} % (MRR {mrr_without_identity})",
        ),
    ),
)

COLUMNS = {column.metric: column for group in GROUPS for column in group.columns}
"""By metric."""

MAIN = (
    "top1",
    "knn_top1",
    "r2_averaged",
    "geodesic_median_deg",
    "absolute_geodesic_median_deg",
    "colour_r2_averaged",
    "mrr_without_identity",
    "equivariance_residual",
)
"""The metrics of short tables, in their order."""


def short_heading(metric: str) -> str:
    """A heading that says without its group what it is of."""
    prefix = {"absolute_": "one view, ", "colour_": "colour ", "linear_": "linear "}
    before = next((told for start, told in prefix.items() if metric.startswith(start)), "")
    after = " without identity" if metric.endswith("_without_identity") else ""
    return before + COLUMNS[metric].heading + after
