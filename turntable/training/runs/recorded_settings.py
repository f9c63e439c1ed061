"""The settings of a run as config.json has them, under the present names of methods and settings."""

import json
from collections.abc import Collection, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from turntable.errors import IntegrityError, InvalidInputError, format_text
from turntable.home import expand_home
from turntable.models import MAX_TEXT_LENGTH, METHODS, rename_method, rename_settings
from turntable.user_code import is_reference

MAX_SETTINGS_BYTES = 64 * 2**20
"""Largest size of config.json, which lists the categories of the data set."""


def read_recorded_settings(folder: Path | str) -> dict[str, Any]:
    """Read config.json of a run, with the present names of its method and settings; values are not checked.

    Raises:
        InvalidInputError: The folder holds no run.
        IntegrityError: Its config.json does not hold the settings of a run.
    """
    path = expand_home(folder) / "config.json"
    if not path.is_file():
        raise InvalidInputError(
            f"{folder} holds no run (it has no config.json); train one with: turntable train"
        )
    with wrap_settings_errors(folder):
        with path.open("rb") as file:
            text = file.read(MAX_SETTINGS_BYTES + 1)
        if len(text) > MAX_SETTINGS_BYTES:
            raise ValueError(f"it has more than {MAX_SETTINGS_BYTES:,} bytes")
        values = json.loads(text)
        method = values["config"]["method"]
        if not isinstance(method, str) or len(method) > MAX_TEXT_LENGTH:
            raise TypeError("its method is not a name")
        if not isinstance(values["fingerprint"], str):
            raise TypeError("its fingerprint is not a text")
        values["config"]["method"] = rename_method(method)
        values["config"] = rename_method_settings(values["config"])
    return values


def rename_method_settings(config: dict[str, Any], fields: Collection[str] = ()) -> dict[str, Any]:
    """Return the settings of a run with the method's settings under their present names.

    Args:
        config: Settings of the run, as read from config.json.
        fields: Names of the settings of a user's method.
    """
    settings = config.get("method_config")
    if not isinstance(settings, dict):
        return config  # an error that TrainConfig reports
    return {**config, "method_config": rename_settings(config["method"], settings, fields)}


def find_recorded_method(folder: Path) -> str | None:
    """Return the name of the method of a run; None if the folder holds no readable settings."""
    try:
        return read_recorded_settings(folder)["config"]["method"]
    except (InvalidInputError, IntegrityError):
        return None


@contextmanager
def wrap_settings_errors(folder: Path | str, method: str | None = None) -> Generator[None]:
    """Turn errors in the block, which reads the settings of a run, into an IntegrityError about config.json.

    Args:
        folder: Path of the run's folder.
        method: Name of the run's method, if the block compares the settings with it.

    Raises:
        IntegrityError: The block raised an error of reading or checking.
    """
    try:
        yield
    except (AttributeError, KeyError, OSError, RecursionError, TypeError, ValueError) as error:
        path, cause = Path(folder) / "config.json", _format_error(error)
        if method is not None and is_user_method(method):
            raise IntegrityError(
                f"{path} does not fit the method's code ({cause}); {explain_changed_method(method)}"
            ) from error
        raise IntegrityError(
            f"{path} does not hold the settings of a run ({cause}); train again into another folder"
        ) from error


def is_user_method(method: str) -> bool:
    """Return True if a method is not one of turntable's: its code may have changed since the training."""
    return method not in METHODS


def explain_changed_method(method: str) -> str:
    """Return the advice for a run whose files do not fit the present code of its method, a user's own."""
    remedy = "give a file that has it: --method FILE.py:NAME" if is_reference(method) else "install it again"
    return (
        f"the code of {format_text(method)} is not that with which the run was trained: {remedy}, or train"
        " again into another folder"
    )


def _format_error(error: Exception) -> str:
    return str(error) if isinstance(error, InvalidInputError) else format_text(str(error), 400)
