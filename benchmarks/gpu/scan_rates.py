"""The rate of scans by rays, which the processor traces whatever the device is."""

from scans import measure_rates
from steps import Row, Rows, Setting


def run(setting: Setting) -> Rows:
    """Measure scans of streets with 8 objects on one core."""
    beams, columns, rounds = (32, 900, 5) if setting.on_gpu else (16, 360, 2)
    rates = measure_rates(beams, columns, 8, rounds)
    yield Row(f"{beams} x {columns} rays, 8 objects, one core", rates.whole, "scans/s")
    yield Row("trees built once to a tree for each frame", rates.ratio)
    yield Row("returns of a scan", rates.num_returns)
