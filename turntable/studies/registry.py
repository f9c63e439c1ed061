"""The registry of studies; the command line, its errors and the table of docs/studies.md are made from it."""

from collections.abc import Iterable

from turntable.errors import InvalidInputError
from turntable.markdown import format_markdown_table
from turntable.studies.factor_study import FACTORS
from turntable.studies.study import Study

STUDIES: dict[str, Study] = {study.name: study for study in (FACTORS,)}
"""Studies by name."""


def get_study(name: str) -> Study:
    """Return the study of a name.

    Raises:
        InvalidInputError: No study has that name; the message lists all studies.
    """
    if name not in STUDIES:
        listed = "\n".join(f"  {study.name}: {study.help}" for study in STUDIES.values())
        raise InvalidInputError(f"there is no study {name!r}; the studies are\n{listed}")
    return STUDIES[name]


def format_studies_table(studies: Iterable[Study] = STUDIES.values()) -> str:
    """Format the studies as a table in Markdown."""
    rows = [(f"`{study.name}`", study.help, study.needs, _format_choices(study)) for study in studies]
    return format_markdown_table(("study", "what it tells", "what it needs", "choices"), rows) + "\n"


def _format_choices(study: Study) -> str:
    return "; ".join(
        f"`--{name}`: {', '.join(f'`{value}`' for value in values)}" for name, values in study.choices.items()
    )
