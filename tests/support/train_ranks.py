"""Trainings on several ranks, and trainings that are killed: what torchrun and tests start as a program.

torchrun --nproc-per-node 2 -m tests.support.train_ranks PLAN   # every job of a plan, on both ranks
python -m tests.support.train_ranks kill PLAN RANKS KILLS SEED   # its first job, and its second, killed
"""

import importlib
import json
import os
import random
import signal
import sys
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import torch
from torch.nn.parallel import DistributedDataParallel

from tests.support.ports import free_port
from turntable.errors import StoppedError
from turntable.models import Method, Normalize
from turntable.training import TrainConfig, read_records, train
from turntable.training.steps import ProcessGroup, process_group


@contextmanager
def double_precision() -> Generator[None, None, None]:
    """Weights, images and labels in float64, so that only mistakes differ by more than rounding.

    Training sets the defaults of torch that it needs; here it must not.
    """
    before, normalise, forward = torch.get_default_dtype(), Normalize.forward, Method.forward
    rooms = [importlib.import_module(f"turntable.training.{name}") for name in ("loop", "runs.folder")]
    kept = [room.use_torch_defaults for room in rooms]

    def of_doubles(self: Method, batch: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        return forward(self, {name: x.double() if x.is_floating_point() else x for name, x in batch.items()})

    torch.set_default_dtype(torch.float64)
    Normalize.forward = lambda self, images: (images.double() - self.mean) / self.std
    Method.forward = of_doubles
    for room in rooms:
        room.use_torch_defaults = nullcontext
    try:
        yield
    finally:
        for room, own in zip(rooms, kept, strict=True):
            room.use_torch_defaults = own
        torch.set_default_dtype(before)
        Normalize.forward, Method.forward = normalise, forward


def write_plan(path: Path, jobs: Mapping[str, tuple[TrainConfig, Mapping[str, Any]]]) -> None:
    """Jobs by the folder of their run: settings, and how they are done (``double``, ``stop_at``)."""
    path.write_text(json.dumps([[str(out), config.to_dict(), how] for out, (config, how) in jobs.items()]))


def read_plan(path: Path) -> list[tuple[Path, TrainConfig, dict[str, Any]]]:
    return [
        (Path(out), TrainConfig.from_dict(values), how) for out, values, how in json.loads(path.read_text())
    ]


class StopAt:
    """Asks for an end at the n-th step that it is asked about, on one rank alone."""

    def __init__(self, step: int | None, rank: int) -> None:
        self.step, self.rank, self.asked = step, rank, 0

    def __call__(self) -> bool:
        self.asked += 1
        return self.asked == self.step and int(os.environ.get("RANK", "0")) == self.rank


def do(out: Path, config: TrainConfig, how: Mapping[str, Any]) -> str:
    """One job; the error's message, or nothing."""
    try:
        if how.get("double"):
            with double_precision():
                train(config, out)
        else:
            train(config, out, stop=StopAt(how.get("stop_at"), how.get("stop_on", 0)))
    except Exception as error:  # the other jobs go on
        return f"{type(error).__name__}: {error}"
    return ""


def norms() -> dict[str, float]:
    """How far batch norms over ranks are from one process that has all rows."""
    import torch.distributed as dist
    from torch import nn

    from turntable.training import convert_sync_batch_norm

    count, index = dist.get_world_size(), dist.get_rank()
    found = {}
    for name, make, shape in [
        ("vectors", lambda: nn.BatchNorm1d(5), (6, 5)),
        ("maps", lambda: nn.BatchNorm2d(5, momentum=None), (6, 5, 3, 4)),
        ("bare", lambda: nn.BatchNorm1d(5, affine=False, track_running_stats=False), (6, 5)),
    ]:
        torch.manual_seed(3)
        x = (3 + 2 * torch.randn(*shape, dtype=torch.float64)).requires_grad_()
        aim = torch.randn_like(x)
        whole = make().double()
        shared = convert_sync_batch_norm(nn.Sequential(make().double()))
        own = x.detach().chunk(count)[index].requires_grad_()
        differences = []
        for _ in range(2):  # the second time the running statistics have a past
            y, y_own = whole(x), shared(own)
            (y * aim).square().sum().backward()
            (y_own * aim.chunk(count)[index]).square().sum().backward()
            differences.append((y.chunk(count)[index] - y_own).abs().max())
        differences.append((x.grad.chunk(count)[index] - own.grad).abs().max())
        differences += [
            (a - b).abs().max() for a, b in zip(whole.buffers(), shared[0].buffers(), strict=True)
        ]
        for a, b in zip(whole.parameters(), shared.parameters(), strict=True):
            dist.all_reduce(b.grad)  # each rank has what its own rows say
            differences.append((a.grad - b.grad).abs().max())
        shared.eval()
        differences.append((whole.eval()(x) - shared(x)).abs().max())
        found[name] = max(value.item() for value in differences)
    return found


def do_all(plan: Path) -> None:
    """Every job, on all ranks of one process group; what each rank had to say goes beside the plan."""
    said: dict[str, Any] = {}
    try:
        # Once: who meets again in one store may find where the others were before.
        with process_group("cpu") as ranks:
            said |= {str(out): do(out, config, how) for out, config, how in read_plan(plan)}
            said["norms"] = norms()
            share_and_stop(ranks)
    except StoppedError:  # and its traceback is still there
        said["threads"] = threads()
    plan.with_suffix(f".rank{os.environ['RANK']}").write_text(json.dumps(said))


def threads() -> list[str]:
    """The names of all threads of this process, also those that Python does not know."""
    return [(task / "comm").read_text().strip() for task in Path("/proc/self/task").iterdir()]


def share_and_stop(ranks: ProcessGroup) -> None:
    """As a training that is stopped while it holds what all ranks share."""
    shared = DistributedDataParallel(torch.nn.Linear(2, 2))
    shared(torch.ones(2, 2)).sum().backward()
    raise StoppedError(f"rank {ranks.rank}")


def begun(out: Path, config: TrainConfig, how: Mapping[str, Any], ranks: int) -> list[int]:
    """A job in as many forked processes; their ids."""
    port, children = free_port(), []
    for rank in range(ranks):
        pid = os.fork()
        if pid == 0:
            os.environ.update(RANK=str(rank), LOCAL_RANK=str(rank), WORLD_SIZE=str(ranks))
            os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port))
            said = do(out, config, how)
            sys.stderr.write(said)
            sys.stderr.flush()
            os._exit(1 if said else 0)
        children.append(pid)
    return children


def ended(children: list[int]) -> list[int]:
    """Statuses of processes, once all have ended: negative where a signal ended one."""
    return [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in children]


def killed_after(children: list[int], out: Path, step: int, seconds: float, *, only_last: bool) -> int:
    """Kill all processes, or the last one, so long after a step; the step of the checkpoint that is left."""
    while len(read_records(out / "records.jsonl")) < step:
        time.sleep(0.002)
    time.sleep(seconds)
    for pid in children[-1:] if only_last else children:
        os.kill(pid, signal.SIGKILL)
    statuses = ended(children)
    assert statuses[-1] in (-signal.SIGKILL, 0)
    assert len(set(statuses)) == 1 or only_last
    return max((torch.load(path)["step"] for path in out.glob("checkpoint*.pt")), default=0)


def kill_often(plan: Path, ranks: int, kills: int, seed: int) -> None:
    """The plan's first job without a kill; its second, killed at random moments and then left to its end.

    Prints the steps that the kills let it keep.
    """
    # What each process would load again: the optimisers' compiler, and tensorboard.
    torch.optim.Adam([torch.zeros(1, requires_grad=True)])
    importlib.import_module("torch.utils.tensorboard")
    moments = random.Random(seed)
    (whole, *how), (killed, *_) = read_plan(plan)
    assert ended(begun(whole, *how, ranks)) == [0] * ranks
    kept = []
    for kill in range(kills):
        children = begun(killed, *how, ranks)
        step, seconds = moments.randint(1, max([4, *kept])), moments.uniform(0, 0.15)
        kept.append(killed_after(children, killed, step, seconds, only_last=kill == 0))
    assert ended(begun(killed, *how, ranks)) == [0] * ranks
    sys.stdout.write(json.dumps(kept))


def main() -> None:
    torch.set_num_threads(1)
    if sys.argv[1] == "kill":
        kill_often(Path(sys.argv[2]), *map(int, sys.argv[3:]))
    else:
        do_all(Path(sys.argv[1]))


if __name__ == "__main__":
    main()
