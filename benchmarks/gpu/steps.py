"""The steps of ``scripts/gpu``, in their order. A step that comes later registers itself by an entry here."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Setting:
    """The device, the folders and the time limit of a step."""

    device: str
    """"cuda" or "cpu"."""
    out: Path
    """The folder of the results; a step adds pictures only."""
    work: Path
    """A folder for what is made on the way; it may be gone in the next call."""
    workers: int
    """Processes at once."""
    seconds: float
    """The time until the step is ended."""

    @property
    def on_gpu(self) -> bool:
        """Tell whether it runs on a GPU, and so with sizes that keep one busy."""
        return self.device == "cuda"

    @property
    def draws_on(self) -> str:
        """The device that draws, as ``turntable render --device`` takes it."""
        return "cuda:0" if self.on_gpu else "auto"


@dataclass(frozen=True, slots=True)
class Row:
    """One figure."""

    what: str
    value: float | str
    unit: str = ""


Rows = Iterator[Row]


class NotPossibleError(Exception):
    """Raised by a step that this machine cannot do; the message is one line that says what is missing."""


def need_cuda(setting: Setting) -> None:
    """Make sure that torch can compute on the device.

    Raises:
        NotPossibleError: It was to be a GPU, and torch sees none: there may still be one that draws.
    """
    if setting.on_gpu:
        import torch

        if not torch.cuda.is_available():
            raise NotPossibleError(f"torch {torch.__version__} sees no CUDA device")


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to learn, by a function in a module beside this one, called in a process of its own."""

    name: str
    module: str
    """It has ``run(setting)``, which yields rows as soon as they are known."""
    proves: str
    """The finding once it is done."""
    failure_means: str
    """The likely cause of a failure."""
    needs: tuple[str, ...]
    """Modules that must be there."""
    most_s: float
    """The longest that it may take on a GPU; on a processor alone too."""
    least_s: float = 10.0
    """Smallest time left with which it is started."""
    takes_the_rest: bool = False
    """True if it continues for as long as there is time; it is told when that ends."""


GROUND = ("numpy", "pydantic", "pyarrow", "simplejpeg", "PIL")
"""Libraries that all of turntable needs."""
DRAWING = (*GROUND, "moderngl")
LEARNING = (*GROUND, "torch")

STEPS = (
    Step(
        "machine",
        "machine",
        "which EGL devices and drivers there are, and what draws",
        "OpenGL has no way to the GPU: a container without the driver's graphics part, or no EGL vendor file",
        (),
        most_s=40,
        least_s=2,
    ),
    Step(
        "contract",
        "backend_contract",
        "the renderer does on this driver what its labels say: projection, hues, light, depth, masks",
        "this driver draws something else than Mesa does: each failed test names what",
        (*DRAWING, "pytest", "scipy", "hypothesis"),
        most_s=80,
    ),
    Step(
        "pictures",
        "picture_comparison",
        "the same eight views look as they do in software",
        "a driver's own way to filter, blend or round is visible: the sheet shows where",
        DRAWING,
        most_s=30,
        least_s=8,
    ),
    Step(
        "generate",
        "generation",
        "what a whole run makes of mesh files, and which stage bounds it",
        "workers cannot share the GPU, or the run waits for a stage: the rows tell which",
        (*DRAWING, "embreex"),
        most_s=75,
        least_s=15,
    ),
    Step(
        "render",
        "render_rates",
        "the rate of one process by size and quality, and its stages",
        "shaders do not compile here, or the time goes to one stage",
        DRAWING,
        most_s=45,
    ),
    Step(
        "qualities",
        "quality_fidelity",
        "what each quality gives against another renderer's rays, and costs",
        "the driver samples otherwise: PSNR falls below that in software",
        (*DRAWING, "embreex"),
        most_s=45,
    ),
    Step(
        "assemblies",
        "assembly_rates",
        "the rate of assemblies whose parts move, to one mesh of the same triangles",
        "the sun's maps of each view bound it, or vertex shaders read textures slowly here",
        DRAWING,
        most_s=30,
        least_s=8,
    ),
    Step(
        "scans",
        "scan_rates",
        "the rate of a spinning LiDAR's scans on the processor beside the device",
        "rays are slow on this processor, so sets of scans need more cores",
        (*GROUND, "embreex"),
        most_s=40,
        least_s=8,
    ),
    Step(
        "clouds",
        "cloud_rates",
        "how many posed point clouds a loader gives, and partial ones beside the pictures they are of",
        "the loader reads or turns clouds slowly here, or PNGs of depth decode slowly",
        (*DRAWING, "torch"),
        most_s=45,
        least_s=10,
    ),
    Step(
        "decoding",
        "jpeg_decoding",
        "whether decoding on the device beats the cores",
        "the library has no decoder for this device, or its pictures are others",
        (*GROUND, "torch"),
        most_s=30,
        least_s=8,
    ),
    Step(
        "ring",
        "batch_transfer",
        "how fast batches reach the device, from pinned slots and others, to the decode limit",
        "shared memory cannot be pinned, or the loader waits for the device",
        LEARNING,
        most_s=45,
    ),
    Step(
        "steps",
        "training_step",
        "SIE's step beside the same with a matrix a sample: time, memory, loss",
        "memory runs out, or bf16 changes the loss",
        LEARNING,
        most_s=90,
    ),
    Step(
        "methods",
        "method_training",
        "SIE, EquiCaps, seq-JEPA and VICReg learn on this device, at one budget, and are scored",
        "a method does not train in bf16, or data do not keep up: the rows name the method",
        (*LEARNING, "matplotlib", "jinja2", "tensorboard"),
        most_s=1e9,
        least_s=40,
        takes_the_rest=True,
    ),
)
