"""Former names of protocols, metrics and task settings, and the names they have now.

The old names stand in results of earlier versions. ``EvaluationResults.from_json`` renames what it reads, so
an old result and a new one of the same settings have equal protocols and can be compared. Nothing else
accepts an old name: ``--protocol`` and ``--sort`` refuse it and suggest the new one.
"""

from collections.abc import Mapping
from typing import Any

from turntable.models import rename_keys, rename_method

PROTOCOL_NAMES: Mapping[str, str] = {
    "sie-drifting": "sie-train-mode-bn",
    "seq-jepa-drifting": "seq-jepa-train-mode-bn",
}
"""New names of protocols by the old ones."""

METRIC_NAMES: Mapping[str, str] = {
    "colour_r2_pooled": "color_r2_pooled",
    "colour_r2_averaged": "color_r2_averaged",
    "own_top1": "classifier_top1",
    "ebv_top1": "equiangular_top1",
}
"""New names of metrics by the old ones. Tasks that are named after their metric are renamed with it."""

TASK_KINDS: Mapping[str, str] = {"Neighbours": "NearestNeighbors"}
"""New names of classes of tasks by the old ones."""

TASK_SETTINGS: Mapping[str, str] = {"neighbours": "num_neighbors", "deep": "use_mlp", "views": "num_views"}
"""New names of task settings by the old ones. They hold for tasks of users too, which inherit ``use_mlp``."""


def rename_results(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of a results file by their present names.

    Args:
        values: Values as the file has them. What does not have the form of results is left as it is: whoever
            reads the values checks them.
    """
    renamed = dict(values)
    if isinstance(renamed.get("method"), str):
        renamed["method"] = rename_method(renamed["method"])
    if isinstance(renamed.get("protocol"), dict):
        renamed["protocol"] = _rename_protocol(renamed["protocol"])
    if "rows" in renamed:
        renamed["rows"] = _rename_rows(renamed["rows"])
    if isinstance(renamed.get("elsewhere"), list):
        renamed["elsewhere"] = [
            {**other, "rows": _rename_rows(other.get("rows"))} if isinstance(other, dict) else other
            for other in renamed["elsewhere"]
        ]
    return renamed


def _rename_protocol(protocol: Mapping[str, Any]) -> dict[str, Any]:
    renamed = {**protocol, "name": _rename(protocol.get("name"), PROTOCOL_NAMES)}
    if isinstance(protocol.get("tasks"), list):
        renamed["tasks"] = [_rename_task(t) if isinstance(t, dict) else t for t in protocol["tasks"]]
    return renamed


def _rename_task(task: Mapping[str, Any]) -> dict[str, Any]:
    renamed = rename_keys(task, TASK_SETTINGS)
    for key, names in (("name", METRIC_NAMES), ("kind", TASK_KINDS)):
        if key in renamed:
            renamed[key] = _rename(renamed[key], names)
    return renamed


def _rename_rows(rows: Any) -> Any:
    if not isinstance(rows, list):
        return rows
    return [
        {**row, "scores": rename_keys(row["scores"], METRIC_NAMES)}
        if isinstance(row, dict) and isinstance(row.get("scores"), dict)
        else row
        for row in rows
    ]


def _rename(name: Any, names: Mapping[str, str]) -> Any:
    return names.get(name, name) if isinstance(name, str) else name
