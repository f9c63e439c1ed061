"""The figures to expect on one H200 with 16 cores, reckoned on paper; docs/gpu.md says how."""

from typing import NamedTuple


class Reckoned(NamedTuple):
    """A figure that was reckoned, and from what."""

    step: str
    what: str
    value: str
    reason: str


RECKONED = (
    Reckoned(
        "generate", "mesh loading, 256 px", "0.3 to 0.5 ms a view", "15 to 25 ms an object here, 50 views"
    ),
    Reckoned("generate", "submit, 256 px", "0.05 to 0.25 ms a view", "as here with pictures of 16 px"),
    Reckoned("generate", "device, 256 px", "0.5 to 0.6 ms a view", "11 ms of fragments, 14 ms of light"),
    Reckoned("generate", "readback, 256 px", "0.02 to 0.05 ms a view", "262 kB by the bus, and a wait"),
    Reckoned("generate", "jpeg, 256 px", "0.15 ms a view", "as here"),
    Reckoned("generate", "one process", "700 views/s", "the sum of the stages"),
    Reckoned("generate", "16 processes, rendering alone", "1,800 views/s", "the device, which they share"),
    Reckoned("generate", "16 workers, the whole run", "1,500 views/s", "0.8 to 0.9 of that, as here"),
    Reckoned("render", "standard, 256 px", "1,000 views/s", "0.55 ms of the device, the rest beside it"),
    Reckoned("render", "fast, 256 px", "1,400 views/s", "8 of 12 ms here are fragments: 0.4 ms"),
    Reckoned("render", "high, 256 px", "350 views/s", "50 of 137 ms here are fragments: 2.4 ms"),
    Reckoned("render", "standard, 64 px", "1,800 views/s", "depth maps are as many: 0.2 ms, and submission"),
    Reckoned("render", "standard, 512 px", "400 views/s", "four times the fragments, less the maps"),
    Reckoned("qualities", "fast, PSNR to rays", "41.4 dB", "as in software, to 0.3 dB"),
    Reckoned("qualities", "standard, PSNR to rays", "47.5 dB", "as in software, to 0.3 dB"),
    Reckoned("qualities", "high, PSNR to rays", "51.1 dB", "as in software, to 0.3 dB"),
    Reckoned(
        "assemblies",
        "5 parts to one mesh",
        "0.5 to 0.8",
        "0.63 in software; a device draws small maps as fast as it gets them",
    ),
    Reckoned(
        "scans",
        "32 x 900 rays, 8 objects, one core",
        "60 to 120 scans/s",
        "as here: the device takes no part",
    ),
    Reckoned(
        "clouds",
        "posed, 1,024 points, 16 workers",
        "80,000 to 160,000 clouds/s",
        "10,000 a core here; what is left is memory",
    ),
    Reckoned("decoding", "16 processes", "60,000 to 110,000 images/s", "146 µs a core here"),
    Reckoned(
        "ring", "to the device, pinned, to the limit", "0.6 to 0.75", "as here; the copies are 12 to 20 GB/s"
    ),
    Reckoned("ring", "to the device, not pinned, to the limit", "0.3 to 0.5", "a copy more, on one core"),
    Reckoned("ring", "copies of pinned memory", "50 to 57 GB/s", "PCIe 5 with 16 lanes, 63 GB/s"),
    Reckoned("steps", "predictor, batch 256", "0.5 to 1 ms", "6.4 GFLOP are nothing: a hundred launches"),
    Reckoned("steps", "predictor, batch 1024", "0.5 to 1 ms", "the same"),
    Reckoned(
        "steps", "predictor, batch 1024, time of the other to ours", "5 to 10", "4.3 GB a tensor, five times"
    ),
    Reckoned("steps", "resnet18, batch 256", "24 to 40 ms", "7.2 TFLOP: 9 ms; 61 GB of activations: 14 ms"),
    Reckoned("steps", "resnet18, batch 1024", "95 to 160 ms", "28.6 TFLOP: 36 ms; 245 GB: 57 ms"),
    Reckoned("steps", "resnet18, batch 1024, memory", "45,000 to 60,000 MiB", "6.3 MiB a pair of 64 px here"),
    Reckoned("methods", "sie, an epoch", "0.3 to 0.6 s", "7,680 pairs of 128 px, 7 GFLOP each"),
)
_BY_NAME = {(item.step, item.what): item.value for item in RECKONED}


def expected(step: str, what: str) -> str:
    """Return what was reckoned for a figure; empty where nothing was."""
    return _BY_NAME.get((step, what), "")


def paper_table() -> str:
    """Return all of it as a table of Markdown."""
    lines = ["| step | figure | on paper | from |", "|---|---|---|---|"]
    lines += [f"| {item.step} | {item.what} | {item.value} | {item.reason} |" for item in RECKONED]
    return "\n".join(lines)
