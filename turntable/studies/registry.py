"""The studies there are: the command line, its errors and the table of docs/studies.md are made of this."""

from collections.abc import Iterable

from turntable.errors import InvalidInputError
from turntable.markdown import markdown_table
from turntable.studies.factors import FACTORS
from turntable.studies.study import Study

STUDIES: dict[str, Study] = {study.name: study for study in (FACTORS,)}
"""By name."""


def study_by_name(name: str) -> Study:
    """Return a study.

    Raises:
        InvalidInputError: There is none of that name; those that there are are listed.
    """
    if name not in STUDIES:
        listed = "\n".join(f"  {study.name}: {study.help}" for study in STUDIES.values())
        raise InvalidInputError(f"no study is called {name!r}; there are\n{listed}")
    return STUDIES[name]


def studies_table(studies: Iterable[Study] = STUDIES.values()) -> str:
    """Return the studies as a table in Markdown."""
    rows = [(f"`{study.name}`", study.help, study.needs, _choices(study)) for study in studies]
    return markdown_table(("study", "what it tells", "what it needs", "choices"), rows) + "\n"


def _choices(study: Study) -> str:
    return "; ".join(
        f"`--{name}`: {', '.join(f'`{value}`' for value in values)}" for name, values in study.choices.items()
    )
