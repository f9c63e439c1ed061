"""The comparison of an evaluation with the one whose files it replaces."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from turntable.errors import IntegrityError, StoreError
from turntable.evaluation.evaluation_results import EvaluationResults, read_results

_RESULT_FIELDS = {"method": "method", "backbone": "backbone", "seed": "seed", "weights": "weights"}
"""Fields of results that say what was evaluated, and their names in messages."""


def explain_replacement(path: Path, results: EvaluationResults) -> str | None:
    """Return a sentence about the results that others replace, and what differs; None if there are none.

    Args:
        path: Path of the results that are replaced.
        results: Results that replace them.
    """
    if not path.exists():
        return None
    try:
        earlier = read_results(path)
    except (IntegrityError, StoreError, OSError):
        return f"{path}: the earlier file, which could not be read, is replaced"
    changes = list_changes(earlier, results)
    if not changes:
        return f"{path}: the earlier result of the same weights and settings is replaced"
    return f"{path}: the earlier result is replaced; what differs: {'; '.join(changes)}"


def list_changes(earlier: EvaluationResults, later: EvaluationResults) -> list[str]:
    """List in words what differs between two evaluations, besides their scores."""
    changes = [
        f"the {name}"
        for field, name in _RESULT_FIELDS.items()
        if _is_other(getattr(earlier, field), getattr(later, field))
    ]
    # Tuples are lists in a file.
    protocols = [json.loads(json.dumps(results.protocol)) for results in (earlier, later)]
    settings = _list_other_settings(*protocols)
    changes += [f"settings of the protocol ({', '.join(settings)})"] if settings else []
    sets = [{other.dataset for other in results.elsewhere} for results in (earlier, later)]
    lost, gained = sorted(sets[0] - sets[1]), sorted(sets[1] - sets[0])
    changes += [f"scores on {name} are gone; give --ood again to have them" for name in lost]
    return changes + [f"scores on {name} are new" for name in gained]


def _is_other(before: object, after: object) -> bool:
    """Return True if both values are known and differ; earlier versions did not record all of them."""
    return before is not None and after is not None and before != after


def _list_other_settings(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """List the names of settings of a protocol that differ; of tasks, the names of those that differ."""
    names = [name for name in after if name != "tasks" and before.get(name) != after[name]]
    tasks, others = _index_by_name(before.get("tasks")), _index_by_name(after.get("tasks"))
    return names + [name for name in {**tasks, **others} if tasks.get(name) != others.get(name)]


def _index_by_name(tasks: Any) -> dict[str, Any]:
    return {str(task.get("name")): task for task in tasks} if isinstance(tasks, list) else {}
