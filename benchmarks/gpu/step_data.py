"""The data set that steps read: the one that was generated, or one made without a renderer."""

from pathlib import Path

from generation import SET
from loader_data import make_dataset
from steps import Setting


def dataset(setting: Setting) -> Path:
    """Return the folder of a data set of 256 px on a GPU, 128 px without one."""
    generated = setting.work / SET
    if (generated / "manifest.json").exists():
        return generated
    folder = setting.work / "synthetic"
    if not (folder / "manifest.json").exists():
        objects, size = (320, 256) if setting.on_gpu else (16, 128)
        make_dataset(folder, objects, views=20, size=size)
    return folder
