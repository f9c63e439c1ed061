"""The report of one evaluation, beside its results in the folder of the run."""

from pathlib import Path

from turntable.datasets import open_dataset
from turntable.evaluation.evaluation_results import EvaluationResults
from turntable.evaluation.figure_data import read_figure_data
from turntable.evaluation.report import write_runs_report
from turntable.evaluation.result_files import ResultFiles, locate_result_files
from turntable.evaluation.stage_progress import ProgressCallback, StageCounter, ignore_progress


def write_evaluation_report(
    run_dir: Path | str,
    path_or_url: Path | str,
    results: EvaluationResults,
    progress: ProgressCallback = ignore_progress,
) -> ResultFiles:
    """Write the page of an evaluation beside its results.

    Args:
        run_dir: Folder of the run, in which ``evaluate`` wrote the results.
        path_or_url: Path or URL of the data set that was evaluated on.
        results: Results of the evaluation.
        progress: Function that is called before and after.

    Returns:
        The files of the evaluation, with the page.

    Raises:
        IntegrityError: The details of the evaluation are damaged.
        MissingExtraError: Jinja2 or matplotlib is not installed.
        StoreError: The folder cannot be written, or its disk is full.
    """
    counter = StageCounter(progress, "report", 1, "page")
    files = locate_result_files(run_dir, results)
    details = read_figure_data(files.details_path)
    write_runs_report([run_dir], open_dataset(path_or_url), [results], details, files.report_path)
    counter.add()
    return files
