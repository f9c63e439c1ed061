"""The language of the package's code, taken out of its syntax trees: docstrings, names and words."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

FRAGMENTS = frozenset(
    {
        "Of",
        "What",
        "That",
        "Those",
        "As",
        "For",
        "Whether",
        "So",
        "Where",
        "Who",
        "Whom",
        "How",
        "Which",
        "When",
    }
    | {"Why", "With", "Whatever", "Whoever", "Many", "By"}
)
"""Words that begin fragments instead of sentences or noun phrases."""

VERBS = frozenset(Path(__file__).with_name("verbs.txt").read_text("utf-8").split())
"""Imperative verbs, one of which begins the docstring of every function, and most of their names."""

QUESTIONS = frozenset(
    {"is", "are", "has", "have", "can", "could", "may", "must", "needs", "should", "was", "were", "accepts"}
    | {"allows", "answers", "contains", "lacks", "matches", "owns"}
)
"""Words that begin the names of functions which answer yes or no."""

PREFIXES = ("from_", "to_", "as_", "on_", "with_", "without_", "before_", "after_")
"""Beginnings of names that stand for conversions, copies with a change, and callbacks."""

# fmt: off
NOUN_FUNCTIONS = frozenset({
    # torch, asyncio, io, starlette and pydantic ask for these names
    "forward", "backward", "autocast", "connection_made", "connection_lost", "data_received", "readable",
    "readinto", "lifespan", "field_title_should_be_set", "nullable_schema", "default_schema",
    # numpy, scipy and Lie theory use them
    "dot", "cross", "exp_so3", "exp_se3", "log_so3", "log_se3",
    # the contract of a method (docs/methods.md), and presets that are constructors
    "loss", "demo", "simclr", "main",
    # solids and curves of the zoo, as in trimesh.creation
    "arc", "bent_tube", "box", "cylinder", "ellipsoid", "fillet", "frustum", "inset", "lathe", "loft",
    "loft_sections", "rectangle", "rod", "rounded_box", "spline", "superellipse", "torus", "tube",
})
# fmt: on
"""Functions that are named by nouns, and why."""

BRITISH = re.compile(
    r"\b\w*(?:colour|\bgrey|greyed|centre|catalogue|neighbour|behaviour|licence|favour|honour|artefact|defence"
    r"|labelled|labelling|modelled|modelling|travell|cancelled|signalled|judgement|fulfil\b|fulfils|programme\b"
    r"|metres?\b|litres?\b"
    r"|analys(?:e|es|ed|ing)\b"
    r"|(?:normal|optim|initial|synchron|general|serial|minim|maxim|standard|recogn|organ|summar|util|real|vector|random"
    r"|quant|canonical|visual|special|categor|parallel|character|discret|regular|symmetr|penal|author|capital|emphas"
    r"|token|local|central|neutral|stabil|item|internal|external)is(?:e|ed|es|er|ers|ing|ation|ations)\b)\w*",
    re.IGNORECASE,
)
"""British spellings; text and names are American."""


@dataclass(frozen=True, slots=True)
class Text:
    """A docstring, or the help of an option."""

    place: str
    """File and line."""
    kind: str
    """module, class, function, property, attribute, argument or help."""
    name: str
    text: str

    @property
    def first_word(self) -> str:
        """The first word, without quotes and backticks."""
        found = re.match(r"[\s`*'\"(]*([A-Za-z]+)", self.text)
        return found[1] if found else ""

    @property
    def first_line(self) -> str:
        """The first line that has text."""
        return self.text.strip().splitlines()[0]


def texts_of(path: Path, place: str) -> Iterator[Text]:
    """Yield the docstrings of a file, of attributes and arguments too, and the help of options."""
    tree = ast.parse(path.read_text("utf-8"))
    if doc := ast.get_docstring(tree):
        yield Text(f"{place}:1", "module", "", doc)
    yield from _texts_in(tree.body, "", place)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            for keyword in node.keywords:
                value = keyword.value
                if keyword.arg in ("help", "description") and isinstance(value, ast.Constant) and value.value:
                    yield Text(f"{place}:{value.lineno}", "help", keyword.arg, str(value.value))


def _texts_in(body: list[ast.stmt], prefix: str, place: str) -> Iterator[Text]:
    for node, following in zip(body, [*body[1:], None], strict=True):
        line = f"{place}:{node.lineno}"
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            name = prefix + node.name
            if doc := ast.get_docstring(node):
                kind = "class" if isinstance(node, ast.ClassDef) else _kind_of(node)
                yield Text(line, kind, name, doc)
                yield from (Text(line, "argument", f"{name}({key})", text) for key, text in arguments_in(doc))
            yield from _texts_in(node.body, f"{name}.", place)
        elif isinstance(node, ast.AnnAssign | ast.Assign) and isinstance(following, ast.Expr):
            value = following.value
            if isinstance(value, ast.Constant) and isinstance(value.value, str):
                target = node.target if isinstance(node, ast.AnnAssign) else node.targets[0]
                yield Text(line, "attribute", prefix + ast.unparse(target), value.value)


def _kind_of(node: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    marks = _decorators(node)
    return (
        "property"
        if marks & {"property", "cached_property"}
        else "fixture"
        if "fixture" in marks
        else "function"
    )


def _decorators(node: ast.FunctionDef | ast.AsyncFunctionDef) -> set[str]:
    return {ast.unparse(item).split("(")[0].rpartition(".")[2] for item in node.decorator_list}


def arguments_in(doc: str) -> Iterator[tuple[str, str]]:
    """Yield name and text of the entries below ``Args:`` in a docstring."""
    found = re.search(r"^Args:\n((?:[ \t]+.*\n?|\n)*)", doc, re.MULTILINE)
    if found is None:
        return
    lines = found[1].splitlines()
    indent = min((len(line) - len(line.lstrip()) for line in lines if line.strip()), default=0)
    for line in lines:
        entry = re.match(rf"\s{{{indent}}}(\*{{0,2}}\w+): (.+)", line)
        if entry:
            yield entry[1], entry[2]


def functions_of(path: Path, place: str) -> Iterator[tuple[str, str]]:
    """Yield place and name of the functions whose names the code's authors chose.

    Left out are properties, fixtures, overrides, double-underscore methods, functions inside functions, the
    functions of commands, and the service's endpoints, whose names are labels of its metrics.
    """
    bodies = [ast.parse(path.read_text("utf-8")).body]
    for body in bodies:
        for node in body:
            if isinstance(node, ast.ClassDef) and not node.name.endswith("Endpoints"):
                bodies.append(node.body)
            elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith("__"):
                marks = _decorators(node)
                if not marks & {"property", "cached_property", "fixture", "override", "setter", "command"}:
                    yield f"{place}:{node.lineno}", node.name


def is_verb_name(name: str) -> bool:
    """Tell whether a function's name begins with a verb or a question word, or is an accepted noun."""
    word = name.strip("_").split("_")[0].lower()
    return (
        word in VERBS | QUESTIONS
        or name.strip("_").startswith(PREFIXES)
        or any(part in name for part in ("_to_", "_from_"))
        or name.endswith("_loss")
        or name.strip("_") in NOUN_FUNCTIONS
    )


def begins_with_verb(text: Text) -> bool:
    """Tell whether a text begins with an imperative verb."""
    return text.first_word.lower() in VERBS
