"""The command that studies finished runs."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from turntable.cli.base import app, err, out, say, warn


@app.command
def study(
    name: str,
    /,
    *runs: Path,
    data: str | None = None,
    split: str = "val",
    out_dir: Annotated[Path | None, Parameter("--out")] = None,
    vectors: bool = False,
    method: tuple[str, ...] = (),
    **choices: str,
) -> int:
    """Ask a question of finished runs, beside what sees no image; docs/studies.md lists the studies.

    Args:
        name: Of the study.
        runs: Folders of finished runs, which keep their features.
        data: The data set, a folder or a URL; by default the one that the runs were trained on.
        split: Where numbers are measured.
        out_dir: A folder that gets study.json, study.html and, if the study has arrays, details.npz.
        vectors: Leave the features of that split as plain arrays too, in RUN/vectors/PART.
        method: The method of your own that runs are of, FILE.py:NAME or PACKAGE.MODULE:NAME: its code runs;
            again for more.
        choices: What else the study can be told, by name, such as --heads mlp.
    """
    from turntable.console import study_console_tables
    from turntable.evaluation import leave_vectors
    from turntable.studies import run_study, write_study

    with err.status("studying") as status:
        studied = run_study(name, runs, data, split, choices, status.update, method)
    for table in study_console_tables(studied.outcome.tables):
        out.print(table)
        out.print()
    for finding in studied.outcome.findings:
        say(finding)
    for note in studied.outcome.notes:
        warn(note)
    if out_dir is not None:
        say(f"{write_study(out_dir, studied) / 'study.html'}")
    if vectors:
        for run in runs:
            for place in leave_vectors(run, studied.place, split):
                say(f"{place}")
    return 0
