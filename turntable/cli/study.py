"""The command study, which asks a question of finished runs."""

from pathlib import Path
from typing import Annotated

from turntable.cli.base import DATA, METHOD, OUTPUT, app, err, format_examples, make_option, out, say, warn


@app.command(
    help_epilogue=format_examples(
        "turntable study factors runs/sie runs/equicaps --out study",
        "turntable study factors runs/sie --heads mlp",
    )
)
def study(
    name: str,
    /,
    *runs: Path,
    data: Annotated[str | None, make_option(DATA, default="the one the runs were trained on")] = None,
    split: Annotated[str, make_option(DATA)] = "val",
    out_dir: Annotated[Path | None, make_option(OUTPUT, "--out")] = None,
    vectors: Annotated[bool, make_option(OUTPUT)] = False,
    method: Annotated[tuple[str, ...], make_option(METHOD, default="")] = (),
    **choices: str,
) -> int:
    """Study finished runs, next to baselines that see no image (docs/studies.md lists the studies).

    Args:
        name: Name of the study.
        runs: Folders of finished runs. Their features are kept there for the next study.
        data: Data set, a folder or a URL.
        split: Split on which the numbers are measured.
        out_dir: Folder for study.json, study.html and, if the study has arrays, details.npz.
        vectors: Also write the features of that split as plain arrays, into
            RUN/vectors/DATASET/SPLIT/PART.
        method: Method of your own that a run was trained with, FILE.py:NAME or PACKAGE.MODULE:NAME. Its code
            is
            executed. May be repeated.
        choices: Further options of the study, by name, such as --heads mlp.
    """
    from turntable.console import StageBar, build_study_tables
    from turntable.evaluation import export_vectors
    from turntable.studies import run_study, write_study

    with StageBar(err, f"study {name}") as bar:
        result = run_study(name, runs, data, split, choices, bar, method)
    for table in build_study_tables(result.outcome.tables):
        out.print(table)
        out.print()
    for finding in result.outcome.findings:
        say(finding)
    for note in result.outcome.notes:
        warn(note)
    if out_dir is not None:
        say(f"{write_study(out_dir, result) / 'study.html'}")
    if vectors:
        for run in runs:
            for path in export_vectors(run, result.path_or_url, split):
                say(f"{path}")
    return 0
