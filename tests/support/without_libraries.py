"""Run Python where libraries cannot be imported, as where they were never installed.

A script: its arguments are the libraries, separated by commas, and a file with lists of words in JSON. It
runs each list as a command of turntable, and prints status and output of each in JSON.
"""

import contextlib
import importlib
import io
import json
import pkgutil
import sys
from pathlib import Path


class Hidden:
    """Python's first finder of modules, which finds none of some libraries."""

    def __init__(self, libraries):
        self.libraries = set(libraries)

    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in self.libraries:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


def run_command(words):
    from turntable.cli import main

    text = io.StringIO()
    with contextlib.redirect_stdout(text), contextlib.redirect_stderr(text):
        try:
            main(words)
        except SystemExit as ended:
            return ended.code, text.getvalue()
        except BaseException as error:  # what a user would see as a traceback
            return f"{type(error).__name__}: {error}", text.getvalue()


def import_faces():
    """Import every package of turntable; give the error of each that cannot be imported."""
    import turntable

    found = {}
    for module in pkgutil.walk_packages(turntable.__path__, "turntable.", onerror=lambda name: None):
        if module.ispkg:
            try:
                importlib.import_module(module.name)
            except Exception as error:
                found[module.name] = type(error).__name__, str(error)
    return found


def main():
    libraries, commands = sys.argv[1:]
    sys.meta_path.insert(0, Hidden(libraries.split(",")))
    found = [run_command(words) for words in json.loads(Path(commands).read_text())]
    sys.stdout.write(json.dumps({"commands": found, "faces": import_faces()}))


if __name__ == "__main__":
    main()
