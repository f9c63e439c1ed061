"""The names of settings in messages: the option of the command line, and the field for Python."""

from turntable.errors import format_text

_OPTIONS = {
    "augmentation": "--augment",
    "num_workers": "--workers",
    "selection": "--views",
    **{
        name: f"--{name.replace('_', '-')}"
        for name in (
            "accumulate",
            "amp",
            "backbone",
            "batch_size",
            "device",
            "epochs",
            "image_size",
            "learning_rate",
            "links_under",
            "meshes",
            "objects",
            "online",
            "preset",
            "schedule",
            "seed",
            "start_from",
        )
    },
}
"""Options of ``turntable train`` by the name of the setting; all other settings are given by ``--set``."""

_MAX_VALUE_LENGTH = 400


def format_setting(name: str, value: object = None) -> str:
    """Return how users give a setting: by an option with the field in parentheses, or by ``--set``.

    Args:
        name: Name of a field of ``TrainConfig`` or of a method's configuration.
        value: Value to advise; None to name the setting only.

    Returns:
        "--batch-size 48 (batch_size=48)" and "--set pairs_per_object=4", or without a value "--batch-size
        (batch_size)" and "--set pairs_per_object".
    """
    text = "" if value is None else format_text(str(value), _MAX_VALUE_LENGTH)
    assignment = f"{name}={text}" if text else name
    if name not in _OPTIONS:
        return f"--set {assignment}"
    return f"{_OPTIONS[name]} {text} ({assignment})" if text else f"{_OPTIONS[name]} ({name})"
