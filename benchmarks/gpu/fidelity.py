"""What each quality gives against rays, and costs; and a sheet to look at."""

import numpy as np
from qualities import SHOWN, drawn, rate, sheet, work_of
from side_by_side import IDS, psnr
from steps import Row, Rows, Setting

from turntable.renderer import open_backend
from turntable.renderer.backends import choose, quality

SHEET = "qualities.jpg"


def run(setting: Setting) -> Rows:
    """Measure the three qualities, and write the sheet."""
    ids, views = (IDS, 40) if setting.on_gpu else (IDS[:3], 4)
    few, many = work_of(ids, 1), work_of(ids, views)
    with open_backend("embree") as rays:
        truth, _ = drawn(rays, few, 256, quality("high", 4 if setting.on_gpu else 2))
    columns = []
    with choose("auto", setting.draws_on).open() as backend:
        for name, samples in SHOWN:
            setting_of = quality(name, samples)
            ours, masks = drawn(backend, few, 256, setting_of)
            whole = np.mean([psnr(a, b) for a, b in zip(truth, ours, strict=True)])
            inside = np.mean([psnr(a[m], b[m]) for a, b, m in zip(truth, ours, masks, strict=True)])
            yield Row(f"{name}, PSNR to rays", float(whole), "dB")
            yield Row(f"{name}, PSNR on the object", float(inside), "dB")
            yield Row(f"{name}, one process", rate(backend, many, 256, setting_of), "views/s")
            columns.append((f"{name}: {whole:.1f} dB", ours))
    sheet([*columns, ("rays", truth)]).save(setting.out / SHEET, quality=88)
