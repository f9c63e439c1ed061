"""Run Python where libraries cannot be imported, as where they were never installed.

A script: its argument is a file with lists of words in JSON. It runs each list as a command of turntable, and
prints status and output of each in JSON.
"""

import contextlib
import importlib
import io
import json
import pkgutil
import sys
from pathlib import Path

SITE = """import sys

class Hidden:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {libraries!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Hidden())
"""
"""The module that Python imports first, so that neither it nor its processes find some libraries."""


def hide_libraries(folder, libraries):
    """Write into a folder what hides libraries where the folder is in PYTHONPATH."""
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(SITE.format(libraries=set(libraries)))
    return folder


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
    found = [run_command(words) for words in json.loads(Path(sys.argv[1]).read_text())]
    sys.stdout.write(json.dumps({"commands": found, "faces": import_faces()}))


if __name__ == "__main__":
    main()
