"""Writing of the results of an evaluation into the folder of its run, or into another."""

import errno
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from turntable.datasets.stores import convert_os_errors
from turntable.evaluation.evaluation_results import OTHER_FOLDER_REMEDY, EvaluationResults, write_results
from turntable.evaluation.figure_data import FigureData, write_figure_data
from turntable.evaluation.replaced_results import explain_replacement
from turntable.evaluation.result_files import ResultFiles, locate_result_files
from turntable.training import Run
from turntable.training.runs import create_run


def check_can_write(folder: Path) -> None:
    """Check that a folder can be written or made, before the work whose results it gets.

    Raises:
        StoreError: It cannot.
    """
    existing = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    with convert_os_errors(folder, OTHER_FOLDER_REMEDY):
        if not existing.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
        if not os.access(existing, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))


def write_evaluation(
    run: Run,
    results: EvaluationResults,
    details: FigureData,
    notify: Callable[[str], None],
    out: Path | str | None = None,
    out_dir: Path | None = None,
) -> None:
    """Write the results of an evaluation and the data of its figures; an earlier report is removed.

    Args:
        run: Run that was evaluated.
        results: Results of the evaluation.
        details: Data of the figures.
        notify: Function that is called with a line if earlier results are replaced.
        out: Path of the results; None for their place in the run's folder.
        out_dir: Folder in place of the run's own; it gets the run's config.json too, if it has none.

    Raises:
        StoreError: The folder cannot be written, or its disk is full.
    """
    folder = run.folder if out_dir is None else out_dir
    files = locate_result_files(folder, results) if out is None else ResultFiles(Path(out))
    replaced = explain_replacement(files.path, results)
    with convert_os_errors(files.path, OTHER_FOLDER_REMEDY):
        if out_dir is not None:
            create_run(replace(run, folder=out_dir))
        if out is None:
            files.report_path.unlink(missing_ok=True)
    write_figure_data(files.details_path, details)
    write_results(files.path, results)
    if replaced is not None:
        notify(replaced)
