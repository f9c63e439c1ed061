"""The contract of tasks: one that comes with the package, one of a user's own, and what breaks it."""

import dataclasses
import json
import re
from fnmatch import fnmatchcase
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.support.synthetic import make_synthetic_dataset
from turntable.errors import IntegrityError, InvalidInputError
from turntable.evaluation import (
    Protocol,
    Results,
    Row,
    Score,
    ScoreColumn,
    ScoreFinding,
    ScoreTable,
    SplitFeatures,
    evaluate,
    evaluate_features,
    protocol_by_name,
    summarize_dataset,
    write_report,
)
from turntable.evaluation.features import extract, renumbered
from turntable.evaluation.numbers import ProbeConfig, Resampling
from turntable.evaluation.report import CATALOG, catalog_of, rows_of, tables
from turntable.evaluation.report.catalog import OTHER_SCORES
from turntable.evaluation.scoring import score
from turntable.evaluation.tasks import (
    TASKS,
    Classification,
    FeatureTask,
    Fitted,
    FloatArray,
    LinearRotation,
    Neighbours,
    OwnClassifier,
    Prediction,
    Regression,
    RelativeRotation,
)
from turntable.evaluation.tasks import (
    rows_of as view_rows,
)
from turntable.models import Classifies, Embedding
from turntable.studies import compare_runs, comparison_json, comparison_markdown, comparison_page, ordered
from turntable.training import demo_config, train

ROOT = Path(__file__).parents[2]
CLASSES = 4
FEW = Resampling(20)


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


class Naming(torch.nn.Module, Classifies):
    """A method whose own head is right about all categories but the last, which it calls the first."""

    def __init__(self, classes=CLASSES):
        super().__init__()
        self.classes = classes

    def classify(self, representation):
        logits = representation[:, : self.classes].clone()
        logits[:, 0] += 0.5
        logits[:, -1] = 0
        return logits


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
    main = ("hidden_error",)

    def fit(self, row, train, method=None):
        return Fitted(
            lambda place: self.missed(place, self.scale * place.split.parts[row][..., -1]),
            train.split.parts[row].shape[2],
        )

    def baselines(self, train):
        mean = train.split.quaternions[..., 0].mean()
        nearest = np.median(train.split.quaternions[..., 0])
        return {
            "constant": lambda place: self.missed(place, mean),
            "baseline_median": lambda place: self.missed(place, nearest),
        }

    def missed(self, place, told):
        return {"hidden_error": place.resamples.mean(np.abs(told - place.split.quaternions[..., 0]))}


class FirstNumber(Regression):
    """A user's own, by a head."""

    name = "first"
    title = "first number"
    prefix = "first_"
    views = 1

    def target(self, split, samples) -> FloatArray:
        return split.quaternions.reshape(-1, 4)[view_rows(split, samples)[:, 0], :2]


def test_a_methods_own_classifier_is_scored_beside_the_most_frequent_category():
    split = split_of()
    found = score(split, {"val": split}, only(OwnClassifier()), print, Naming())
    classifier, constant = found.rows["val"]
    assert (classifier.name, classifier.dim) == ("classifier", CLASSES + 1)
    assert classifier.scores["own_top1"].value == 0.75
    assert classifier.scores["own_top1"].low <= 0.75 <= classifier.scores["own_top1"].high
    assert constant.scores["own_top1"].value == 0.25
    (table,) = tables([("toy", classifier), ("no image", constant)])
    assert table.headings == ("own top-1, %",)
    assert table.finding.startswith("The classifier of toy names the category of 75.0 % of the views; always")


def test_its_own_classifier_is_asked_in_turntables_protocol_alone():
    asking = {name for name in PROTOCOLS if OwnClassifier() in protocol_by_name(name).tasks}
    assert asking == {"turntable", "turntable-demo"}


PROTOCOLS = (
    "turntable",
    "turntable-demo",
    "sie",
    "equicaps",
    "seq-jepa",
    "sie-drifting",
    "seq-jepa-drifting",
)


def test_a_method_without_a_classifier_is_left_alone_and_one_of_other_categories_is_noted():
    split = split_of()
    for method in (None, torch.nn.Linear(1, 1)):
        found = score(split, {"val": split}, only(OwnClassifier()), print, method)
        assert [row.name for row in found.rows["val"]] == ["constant"]
        assert found.notes["val"] == ()
    found = score(split, {"val": split}, only(OwnClassifier()), print, Naming(3))
    assert [row.name for row in found.rows["val"]] == ["constant"]
    assert found.notes["val"] == (
        "answers of the method's own classifier are left out:"
        " it tells apart 3 categories, and the data have 4",
    )


def test_elsewhere_its_own_classifier_is_asked_about_categories_that_it_knows():
    split = split_of()
    names = [f"class{number}" for number in range(CLASSES)]
    fewer = split_of(categories=np.arange(12) % 2, num_categories=2)
    known, unknown = (renumbered(fewer, two, names) for two in (names[2:], ["class0", "zebra"]))
    splits = {"val": split, "known": known, "unknown": unknown}
    found = score(split, splits, only(OwnClassifier()), print, Naming())
    assert [len(found.rows[name]) for name in splits] == [2, 2, 1]
    assert "categories that the training data do not have" in found.notes["unknown"][0]


def test_a_task_of_ones_own_is_scored_on_every_part_with_all_its_baselines():
    split = split_of()
    parts = {**split.parts, "equivariant": split.parts["representation"] * np.float32(2)}
    split = dataclasses.replace(split, parts=parts)
    rows = evaluate_features(split, split, only(HiddenNumber()))
    assert [row.name for row in rows] == ["representation", "equivariant", "baseline_median", "constant"]
    assert rows[0].scores["hidden_error"].value == pytest.approx(0, abs=1e-6)
    doubled = np.abs(split.quaternions[..., 0]).mean()  # 2x misses x by |x|
    assert rows[1].scores["hidden_error"].value == pytest.approx(doubled, abs=1e-6)
    assert rows[2].scores["hidden_error"].value <= rows[3].scores["hidden_error"].value
    assert [row.dim for row in rows] == [5, 5, 0, 0]


def test_a_regression_of_ones_own_has_a_head_a_mean_and_a_note_where_labels_lack():
    split = split_of(40)
    probe = ProbeConfig(epochs=30, hidden=32, learning_rate=1e-2, cosine=True)
    row, constant = evaluate_features(split, split, only(FirstNumber(probe)))
    assert set(row.scores) == {"first_r2_pooled", "first_r2_averaged"} == set(constant.scores)
    assert row.scores["first_r2_averaged"].value > constant.scores["first_r2_averaged"].value + 0.1
    assert constant.scores["first_r2_averaged"].value == pytest.approx(0, abs=1e-9)

    class Lacking(FirstNumber):
        def lacks_labels(self, split):
            return "there is no first number"

    found = score(split, {"val": split}, only(Lacking(probe)), print)
    assert found.notes["val"] == ("first number: left out; in the train split, there is no first number",)
    assert [(row.name, row.scores) for row in found.rows["val"]] == [("representation", {}), ("constant", {})]


@pytest.fixture(scope="module")
def evaluated(tmp_path_factory):
    """A run, evaluated by a protocol of a user's own."""
    folder = tmp_path_factory.mktemp("own")
    dataset = make_synthetic_dataset(folder / "set", objects=8)
    run = train(demo_config("vicreg", folder / "set", epochs=1, batch_size=4), folder / "run")
    return dataset, run, evaluate(run, dataset.place, protocol=only(Neighbours(), HiddenNumber(2.0)))


def test_scores_of_ones_own_task_are_shown_as_it_says(evaluated, tmp_path):
    dataset, run, results = evaluated
    page = write_report(tmp_path / "report.html", summarize_dataset(dataset), [], [results]).read_text(
        "utf-8"
    )
    for told in ("What is hidden", "How far it is missed.", "missed by, m", "baseline_median", "no method"):
        assert told in page
    assert re.search(
        r"The representation of vicreg misses it by \d\.\d\d; the mean misses by \d\.\d\d\.", page
    )
    assert OTHER_SCORES not in page
    comparison = compare_runs([run])
    assert "hidden, m" in comparison_markdown(comparison)
    assert "What is hidden" in comparison_page(comparison)
    parts = [entry.part for entry in comparison.entries]
    assert parts == ["representation", "baseline_median", "constant"]
    assert [entry.part for entry in ordered(comparison, "hidden_error").entries] == parts
    assert "catalog" not in json.loads(comparison_json(comparison))["sections"][0]


def test_the_results_say_by_which_tasks_with_which_settings(evaluated):
    _, run, results = evaluated
    neighbours, hidden = json.loads((run / "results.json").read_text())["protocol"]["tasks"]
    assert neighbours == {"name": "knn_top1", "kind": "Neighbours", "neighbours": 20}
    assert (hidden["name"], hidden["kind"], hidden["scale"]) == ("hidden", "HiddenNumber", 2.0)
    assert hidden["tables"][0]["columns"][0]["metric"] == "hidden_error"
    assert set(results.protocol) == {"name", "tasks", "pairs", "batch_norm", "resampling", "val_pairs"}


def with_protocol(results, **changes):
    return dataclasses.replace(results, protocol={**results.protocol, **changes})


def test_scores_that_nobody_knows_stand_in_a_table_at_the_end(evaluated, tmp_path):
    _, _, results = evaluated
    unknown = with_protocol(results, tasks=[])
    *_, last = tables(rows_of([unknown]))
    assert (last.title, last.headings) == (OTHER_SCORES, ("hidden_error",))
    assert not any(cell.best for row in last.rows for cell in row.cells)
    assert last.finding == ""
    (tmp_path / "results.json").write_text(unknown.to_json())
    comparison = compare_runs([tmp_path])
    assert "hidden_error" in comparison_markdown(comparison)
    assert OTHER_SCORES in comparison_page(comparison)
    with pytest.raises(
        InvalidInputError, match="no run has 'hidden_error' to sort by; choose one of: knn_top1"
    ):
        ordered(comparison, "hidden_error")


def test_other_words_about_the_same_scores_are_no_other_protocol(evaluated, tmp_path):
    _, _, results = evaluated
    reworded = json.loads(json.dumps(results.protocol["tasks"]))
    reworded[1]["tables"][0]["title"] = "Another title"
    longer = json.loads(json.dumps(results.protocol["tasks"]))
    longer[1]["scale"] = 3.0
    for name, made in {
        "one": results,
        "two": with_protocol(results, tasks=reworded),
        "three": with_protocol(results, tasks=longer),
    }.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "results.json").write_text(dataclasses.replace(made, seed=len(name)).to_json())
    assert len(compare_runs([tmp_path / "one", tmp_path / "two"]).sections) == 1
    assert len(compare_runs([tmp_path / "one", tmp_path / "three"]).sections) == 2


TABLE = dataclasses.asdict(HiddenNumber.tables[0])
COLUMN = TABLE["columns"][0]


def told(tasks):
    rows = (Row("representation", 8, {"hidden_error": Score(0.5, 0.4, 0.6)}),)
    return Results("toy", "small", 0, "zoo", "f" * 64, {"name": "mine", "tasks": tasks}, 9, 3, 60, rows)


@pytest.mark.parametrize(
    "tasks",
    [
        {"tables": []},
        [{"tables": {}}],
        [{"tables": [1]}],
        [{"tables": [{**TABLE, "columns": [{}]}]}],
        [{"tables": [{**TABLE, "columns": [{**COLUMN, "digits": 10**9}]}]}],
        [{"tables": [{**TABLE, "columns": [{**COLUMN, "factor": float("inf")}]}]}],
        [{"tables": [{**TABLE, "columns": [{**COLUMN, "factor": 10**400}]}]}],
        [{"tables": [{**TABLE, "columns": [{**COLUMN, "heading": "\ud800"}]}]}],
        [{"tables": [{**TABLE, "columns": [{**COLUMN, "lower_is_better": "yes"}]}]}],
        [{"tables": [{**TABLE, "title": "x" * 10_000}]}],
        [{"tables": [{**TABLE, "finding": {"says": "{who}"}}]}],
        [{"tables": [], "main": [1]}],
    ],
    ids=range(12),
)
def test_tables_of_a_file_that_are_none_are_told(tmp_path, tasks):
    tasks = json.loads(json.dumps(tasks))
    with pytest.raises(IntegrityError, match="tables that are none"):
        catalog_of([told(tasks)])
    values = {**json.loads(told([]).to_json()), "protocol": {"name": "mine", "tasks": tasks}}
    (tmp_path / "results.json").write_text(json.dumps(values))
    with pytest.raises(IntegrityError, match=r"results\.json is no result of turntable evaluate"):
        compare_runs([tmp_path])


def test_tables_of_a_file_change_nothing_that_is_known():
    column = {**COLUMN, "metric": "top1", "heading": "mine"}
    finding = {**TABLE["finding"], "says": "{who.__class__} {hidden_error:>999999999} {nothing}"}
    catalog = catalog_of(
        [
            told(
                json.loads(
                    json.dumps([{"tables": [{**TABLE, "columns": [COLUMN, column], "finding": finding}]}])
                )
            )
        ]
    )
    assert catalog.columns["top1"] == CATALOG.columns["top1"]
    assert [table.title for table in catalog.tables][:-1] == [table.title for table in CATALOG.tables]
    (shown,) = tables(rows_of([told([])]), catalog)
    assert shown.title == "What is hidden"
    assert "{who.__class__} {hidden_error:>999999999} {nothing}" in shown.finding


def test_tasks_that_break_the_contract_are_refused():
    split = split_of()
    with pytest.raises(InvalidInputError, match="more than one task of the name 'top1'"):
        only(Classification(), Classification(ProbeConfig(epochs=1)))

    class Twice(HiddenNumber):
        name = "twice"

    with pytest.raises(
        InvalidInputError, match="task twice gives the score 'hidden_error' of the representation"
    ):
        evaluate_features(split, split, only(HiddenNumber(), Twice()))
    for given in ({}, {"baseline_mean": print}, {"constant": print, "mean": print}):

        class Blind(HiddenNumber):
            found = given

            def baselines(self, train):
                return self.found

        with pytest.raises(InvalidInputError, match="task hidden has the baselines"):
            evaluate_features(split, split, only(Blind()))
    with pytest.raises(InvalidInputError, match="hidden, knn_top1 cannot learn batch by batch"):
        Protocol("mine", (Classification(), HiddenNumber(), Neighbours(), Prediction()), batch_norm="train")


def test_heads_are_changed_together():
    protocol = protocol_by_name("turntable").with_heads(epochs=7)
    probes = [task.probe for task in protocol.tasks if hasattr(task, "probe")]
    assert len(probes) == 10
    assert {probe.epochs for probe in probes} == {7}
    assert [task.name for task in protocol.tasks] == [
        task.name for task in protocol_by_name("turntable").tasks
    ]


def test_every_shipped_protocol_has_registered_tasks_with_tables_and_plain_values():
    known = {type(task) for task in TASKS}
    for name in PROTOCOLS:
        protocol = protocol_by_name(name)
        plain = protocol.to_plain()
        assert json.loads(json.dumps(plain)) == plain
        for task, told in zip(protocol.tasks, plain["tasks"], strict=True):
            assert type(task) in known
            assert task.tables
            assert "tables" not in told
    assert plain["tasks"][1] == {
        "name": "rotation",
        "kind": "RelativeRotation",
        "probe": dataclasses.asdict(ProbeConfig(optimizer="adamw")),
        "deep": True,
        "sign": "product",
    }
    assert RelativeRotation().name != LinearRotation().name


def test_short_tables_have_their_metrics_in_a_fixed_order():
    assert CATALOG.main == (
        *("top1", "knn_top1", "r2_averaged", "geodesic_median_deg", "absolute_geodesic_median_deg"),
        *("colour_r2_averaged", "own_top1", "mrr_without_identity", "equivariance_residual"),
    )
    headings = [CATALOG.columns[metric].short_heading for metric in CATALOG.main]
    assert headings[4:] == [
        *("one view, error, median °", "colour R² averaged", "own top-1, %"),
        *("MRR without identity", "residual"),
    ]


def test_every_metric_is_documented():
    text = (ROOT / "docs" / "evaluation.md").read_text("utf-8")
    named = [
        name
        for line in text.splitlines()
        if line.startswith("| `")
        for name in re.findall(r"`(\w+\*?)`", line)
    ]
    patterns = [name.replace("h_at_k", "h_at_[0-9]*") for name in named]
    patterns += [f"{pattern}_without_identity" for pattern in patterns] + ["pre_in_*"]
    unknown = [m for m in CATALOG.columns if not any(fnmatchcase(m, pattern) for pattern in patterns)]
    assert unknown == []


class NoImages(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.nothing = torch.nn.Parameter(torch.zeros(1))


def test_a_method_that_embeds_nothing_is_refused(evaluated):
    with pytest.raises(
        InvalidInputError, match="NoImages cannot be evaluated by this protocol: it embeds nothing"
    ):
        extract(NoImages(), evaluated[0].place, "val")


def test_a_method_embeds_the_fields_that_it_names(evaluated):
    class Both(NoImages):
        embeds_from = ("view", "view")

        def embed(self, one, other):
            assert one.dtype == torch.uint8
            return Embedding.of((one.float() + other.float()).mean(dim=(2, 3)))

    class One(NoImages):
        def embed(self, images):
            return Embedding.of(images.float().mean(dim=(2, 3)))

    both, one = (extract(method, evaluated[0].place, "val")["representation"] for method in (Both(), One()))
    assert np.allclose(both, 2 * one, rtol=1e-5)

    class OfDepth(One):
        embeds_from = ("depth",)

    with pytest.raises(InvalidInputError, match="depth"):
        extract(OfDepth(), evaluated[0].place, "val")


def test_data_sets_that_cannot_be_told_apart_are_refused(evaluated):
    _, run, _ = evaluated
    for elsewhere in (["other", "other"], ["val"]):
        with pytest.raises(InvalidInputError, match="cannot be told apart from another split"):
            evaluate(run, "set", elsewhere=elsewhere)
