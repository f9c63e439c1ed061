"""Rates of point clouds in the loader: posed ones, and partial ones beside pictures alone."""

from clouds import Setting as CloudSetting
from clouds import make_dataset, measure_partial, measure_posed
from steps import Row, Rows, Setting


def run(setting: Setting) -> Rows:
    """Measure posed clouds of a set without pictures, then partial clouds of one with depth."""
    num_objects, seconds = (64, 3.0) if setting.on_gpu else (4, 0.3)
    cloud_setting = CloudSetting(setting.workers, 1024, 16, seconds, 1)
    posed = make_dataset(setting.work / "posed", num_objects, (), 32, 2048)
    yield Row(
        f"posed, 1,024 points, {setting.workers} workers", measure_posed(posed, cloud_setting), "clouds/s"
    )
    size = 128 if setting.on_gpu else 64
    views = make_dataset(setting.work / "views", num_objects, ("rgb", "mask", "depth"), size)
    rate, ratio = measure_partial(views, cloud_setting, ("cloud", "cloud_count"))
    yield Row(f"partial, {size} px", rate, "clouds/s")
    yield Row(f"partial, {size} px, to pictures alone", ratio)
