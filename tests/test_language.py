"""The package speaks plain English: docstrings, names, and words that stay away (CONTRIBUTING.md)."""

import re
from functools import cache
from pathlib import Path

import pytest

from tests.support.language import (
    BRITISH,
    FRAGMENTS,
    Text,
    arguments_in,
    begins_with_verb,
    functions_of,
    is_verb_name,
    texts_of,
)

ROOT = Path(__file__).parent.parent
FILES = sorted((ROOT / "turntable").rglob("*.py"))
# fmt: off
STRANGE = (
    "Asked", "Asker", "Begun", "Crew", "Drawn", "Elsewhere", "Evaluated", "Filling", "HereEngine", "Kept",
    "Loaded", "Loss", "Made", "Moment", "Offered", "Onlooker", "Peers", "Seen", "Shown", "Studied", "Studio",
    "Told", "Wanted", "drifting", "joined", "synchronised",
)
# fmt: on
"""Names that were not the field's; as whole identifiers they stay away."""
ON_DISK = frozenset({"licence", "licences", "grey", "grey_probability", "LICENCE"})
"""British spellings that are keys of files and batches, or names of files, and so stay."""
TEXTS_ON_DISK = (
    "KEY.VIEW.mask.png",
    "centred",
    "bounding-box centre at the origin",
    "oloured blobs",
    '"colour"',
)
"""Parts of lines with texts of manifests and names of weights, which stay as they were first written."""
OLD_NAMES = {"turntable/models/old_names.py", "turntable/evaluation/old_names.py", "docs/renamed.md"}
"""Files that translate the names of earlier versions."""


@cache
def texts() -> tuple[Text, ...]:
    """All docstrings and helps of the package."""
    return tuple(text for path in FILES for text in texts_of(path, str(path.relative_to(ROOT))))


def told(wrong):
    return "\n".join(f"{text.place}: {text.kind} {text.name}: {text.first_line}" for text in wrong)


def test_no_text_begins_as_a_fragment():
    wrong = [text for text in texts() if text.first_word.capitalize() in FRAGMENTS]
    assert not wrong, told(wrong)


def test_docstrings_of_functions_begin_with_a_verb():
    wrong = [text for text in texts() if text.kind == "function" and not begins_with_verb(text)]
    wrong = [text for text in wrong if not text.name.rpartition(".")[2].startswith("test_")]
    assert not wrong, told(wrong)


def test_docstrings_of_classes_are_noun_phrases():
    verbs = {
        "does",
        "makes",
        "returns",
        "renders",
        "reads",
        "writes",
        "keeps",
        "says",
        "gives",
        "holds",
        "counts",
    }
    wrong = [text for text in texts() if text.kind == "class" and text.first_word.lower() in verbs]
    assert not wrong, told(wrong)


def test_functions_are_named_by_verbs():
    wrong = [
        f"{place}: {name}"
        for path in FILES
        for place, name in functions_of(path, str(path.relative_to(ROOT)))
        if not is_verb_name(name) and not name.startswith("test_")
    ]
    assert not wrong, "\n".join(wrong)


def test_spelling_is_american():
    wrong = [
        f"{path.relative_to(ROOT)}:{number}: {found[0]}: {line.strip()}"
        for path in [
            *FILES,
            ROOT / "README.md",
            ROOT / "CONTRIBUTING.md",
            *sorted((ROOT / "docs").glob("*.md")),
        ]
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        for found in BRITISH.finditer(line)
        if found[0] not in ON_DISK and not any(text in line for text in TEXTS_ON_DISK)
        if str(path.relative_to(ROOT)) not in OLD_NAMES
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("word", STRANGE)
def test_strange_names_stay_away(word):
    pattern = re.compile(rf"(?:class|def) {word}\b|^{word}\b *[:=]", re.MULTILINE)
    assert not [str(path.relative_to(ROOT)) for path in FILES if pattern.search(path.read_text("utf-8"))]


SAMPLE = '''
"""Of nothing."""


class Reader:
    """Reads files."""

    size: int
    """So many bytes."""

    def rows(self, many):
        """What is there.

        Args:
            many: Of rows, in colour.
                Continued: here.
        """

    def read_rows(self):
        """Return the rows."""

    @property
    def color(self):
        """The color."""
'''


def test_what_is_wrong_is_found(tmp_path):
    path = tmp_path / "sample.py"
    path.write_text(SAMPLE)
    found = list(texts_of(path, "sample.py"))
    fragments = {text.name: text.kind for text in found if text.first_word.capitalize() in FRAGMENTS}
    assert fragments == {
        "": "module",
        "Reader.size": "attribute",
        "Reader.rows": "function",
        "Reader.rows(many)": "argument",
    }
    verbs = {text.name: begins_with_verb(text) for text in found if text.kind == "function"}
    assert verbs == {"Reader.rows": False, "Reader.read_rows": True}
    assert [name for _, name in functions_of(path, "") if not is_verb_name(name)] == ["rows"]
    assert [match[0] for match in BRITISH.finditer(SAMPLE)] == ["colour"]


def test_arguments_are_read_by_their_indent():
    doc = (
        "Do it.\n\nArgs:\n    one: The one.\n        more: no entry.\n    two: The two.\n\nReturns:\n    It."
    )
    assert list(arguments_in(doc)) == [("one", "The one."), ("two", "The two.")]
