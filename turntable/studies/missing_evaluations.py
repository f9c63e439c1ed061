"""Evaluations that are missing for a comparison, and the commands that make them."""

import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path

from turntable.errors import InvalidInputError
from turntable.evaluation import (
    UNTRAINED_METHOD,
    EvaluationResults,
    find_protocol_options,
    get_protocol,
    list_protocol_names,
)
from turntable.studies.evaluated_runs import (
    EvaluatedRun,
    encode_rules,
    format_condition,
    get_evaluation_key,
)
from turntable.user_code import is_reference

_MIN_DIGEST_LENGTH = 6
"""Smallest number of digits by which a fingerprint is recognized."""


def select_evaluations(
    evaluated: Sequence[EvaluatedRun], dataset: str | None = None, protocol: str | None = None
) -> list[EvaluatedRun]:
    """Select the evaluations on a data set or under a protocol, of which every run must have one.

    Args:
        evaluated: All evaluations of all runs.
        dataset: Name, path, URL or beginning of the fingerprint of the data set; None for all.
        protocol: Name of the protocol; None for all.

    Raises:
        InvalidInputError: A run has no such evaluation; the message has the commands that make them.
    """
    chosen = [run for run in evaluated if _is_on(run.results, dataset) and _is_under(run.results, protocol)]
    if not chosen and evaluated:
        known = "; ".join(dict.fromkeys(format_condition(run.results) for run in evaluated))
        wanted = [f"data set {dataset}"] if dataset is not None else []
        wanted += [f"protocol {protocol}"] if protocol is not None else []
        raise InvalidInputError(f"no run has results for {' and '.join(wanted)}; they have: {known}")
    missing = [run for run in _list_runs(evaluated) if not _is_among(run, chosen)]
    if missing:
        names = ", ".join(run.name for run in missing)
        raise InvalidInputError(
            f"no such results of {names}; {_format_remedy(missing, chosen[0].results, evaluated)}"
        )
    return chosen


def explain_conditions(evaluated: Sequence[EvaluatedRun]) -> Iterator[str]:
    """Explain which runs were evaluated under which conditions, and how to make them comparable.

    Yields:
        A sentence, if some run lacks an evaluation that another one has.
    """
    groups: dict[str, list[EvaluatedRun]] = {}
    for run in evaluated:
        groups.setdefault(format_condition(run.results), []).append(run)
    runs = _list_runs(evaluated)
    if all(_is_among(run, group) for run in runs for group in groups.values()):
        return
    listed = "; ".join(
        f"{condition} ({', '.join(dict.fromkeys(run.name for run in group))})"
        for condition, group in groups.items()
    )
    most = max(groups.values(), key=len)
    like, without = most[0].results, [run for run in runs if not _is_among(run, most)]
    if any(get_evaluation_key(run.results) == get_evaluation_key(like) for run in without):
        without = runs  # the same command gave other settings, so it was of another version
    yield (
        f"these runs were evaluated with different {_list_differences(evaluated)}, so their numbers are not"
        f" comparable and are in separate sections: {listed}. To compare them,"
        f" {_format_remedy(without, like, evaluated)}"
    )


def _list_differences(evaluated: Sequence[EvaluatedRun]) -> str:
    reasons = (
        ("data", {run.results.fingerprint for run in evaluated}),
        ("splits", {run.results.split for run in evaluated}),
        ("protocols", {encode_rules(run.results) for run in evaluated}),
        ("validation pairs", {run.results.protocol.get("val_pairs") for run in evaluated}),
    )
    return " and ".join(name for name, values in reasons if len(values) > 1)


def _list_runs(evaluated: Sequence[EvaluatedRun]) -> list[EvaluatedRun]:
    """List one evaluation of each run."""
    first: dict[object, EvaluatedRun] = {}
    for run in evaluated:
        first.setdefault(_get_identity(run), run)
    return list(first.values())


def _get_identity(run: EvaluatedRun) -> object:
    return run.folder.resolve() if run.folder is not None else id(run)


def _is_among(run: EvaluatedRun, group: Sequence[EvaluatedRun]) -> bool:
    return any(_get_identity(run) == _get_identity(other) for other in group)


def _is_on(results: EvaluationResults, dataset: str | None) -> bool:
    if dataset is None or dataset in (results.dataset, results.path_or_url):
        return True
    return len(dataset) >= _MIN_DIGEST_LENGTH and results.fingerprint.startswith(dataset)


def _is_under(results: EvaluationResults, protocol: str | None) -> bool:
    name = results.protocol.get("name")
    if protocol is None or protocol == name:
        return True
    return protocol in list_protocol_names() and get_protocol(protocol).name == name


def _format_remedy(
    runs: Sequence[EvaluatedRun], like: EvaluationResults, evaluated: Sequence[EvaluatedRun]
) -> str:
    """Format the commands that evaluate runs like given results."""
    name = str(like.protocol.get("name"))
    options = find_protocol_options(name)
    if options is None:
        return f"evaluate {', '.join(run.name for run in runs)} in Python, under protocol {name} too"
    place = _find_place(like, evaluated)
    return f"run: {' && '.join(_format_command(run, like, place, options) for run in runs)}"


def _format_command(run: EvaluatedRun, like: EvaluationResults, place: str, options: str) -> str:
    folder, is_untrained = run.folder or Path("RUN"), run.results.method == UNTRAINED_METHOD
    command = ["turntable", "evaluate", str(folder.parent if is_untrained else folder), place]
    command += options.split()
    command += ["--split", like.split] if like.split != "val" else []
    command += ["--untrained"] if is_untrained else []
    method = run.recorded["config"]["method"] if run.recorded else ""
    command += ["--method", method] if is_reference(method) else []
    return shlex.join(command)


def _find_place(like: EvaluationResults, evaluated: Sequence[EvaluatedRun]) -> str:
    """Find the path or URL of a data set in results, or in the settings of a run that was trained on it."""
    places = [run.results.path_or_url for run in evaluated if run.results.fingerprint == like.fingerprint]
    places += [
        run.recorded["config"].get("dataset")
        for run in evaluated
        if run.recorded.get("fingerprint") == like.fingerprint
    ]
    return next((place for place in [like.path_or_url, *places] if place is not None), "DATASET")
