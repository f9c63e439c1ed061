"""The fidelity of each quality against rays, its rate, and a sheet to look at."""

from cycles_comparison import IDS
from render_qualities import SHOWN, SIZE, drawn, fidelity, rate, sheet, work_of
from steps import Row, Rows, Setting

from turntable.renderer import open_backend
from turntable.renderer.backends import get_quality, select_backend

SHEET = "qualities.jpg"


def run(setting: Setting) -> Rows:
    """Measure the three qualities, and write the sheet."""
    ids, views = (IDS, 40) if setting.on_gpu else (IDS[:3], 4)
    few, many = work_of(ids, 1), work_of(ids, views)
    with open_backend("embree") as rays:
        truth, _ = drawn(rays, few, SIZE, get_quality("high", 4 if setting.on_gpu else 2))
    columns = []
    with select_backend("auto", setting.draws_on).open() as backend:
        for name, samples in SHOWN:
            setting_of = get_quality(name, samples)
            ours, masks = drawn(backend, few, SIZE, setting_of)
            whole, inside = fidelity(truth, ours, masks)
            yield Row(f"{name}, PSNR to rays", whole, "dB")
            yield Row(f"{name}, PSNR on the object", inside, "dB")
            yield Row(f"{name}, one process", rate(backend, many, SIZE, setting_of), "views/s")
            columns.append((f"{name}: {whole:.1f} dB", ours))
    sheet([*columns, ("rays", truth)]).save(setting.out / SHEET, quality=88)
