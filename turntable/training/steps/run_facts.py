"""Facts about a run before its first step: the number of steps, the lineage, and warnings about both."""

from collections.abc import Iterator

from turntable.models import PAIR, Method, SampleSpec, get_method_entry
from turntable.training.runs import BENCHMARK_STEPS, Run, TrainConfig, TrainingData, format_setting
from turntable.training.steps.optimizers import compute_learning_rate
from turntable.user_code import is_reference

_PAPER_OBJECTS = 41_977
"""Number of objects of 3DIEBench's train split: four fifths of its 52,472."""
_FEW_STEPS = 200
"""Number of steps below which a warning comes: after 182, with 186 objects, SIE predicted rotations no better
than a constant."""


def describe_steps(config: TrainConfig, data: TrainingData, steps_per_epoch: int) -> str:
    """Describe the number of steps of a run, next to that of the paper's settings and the benchmark.

    Args:
        config: Settings of the run.
        data: Description of its data.
        steps_per_epoch: Number of steps of an epoch.
    """
    num_steps, samples = steps_per_epoch * config.epochs, _format_samples(config.method_config.sample)
    return (
        f"{_count(data.num_objects, 'object')}: {_count(num_steps, 'step')} of {config.batch_size:,}"
        f" {samples} in {_count(config.epochs, 'epoch')}; {_describe_paper(config)}turntable's benchmark has"
        f" {BENCHMARK_STEPS} steps of 128 pairs"
    )


def find_few_steps(run: Run, steps_per_epoch: int) -> list[str]:
    """Return a warning if a run with fresh weights has too few steps to learn anything; otherwise none."""
    num_steps = steps_per_epoch * run.config.epochs
    if num_steps >= _FEW_STEPS or run.lineage.start is not None:
        return []
    enough = format_setting("epochs", -(-BENCHMARK_STEPS // steps_per_epoch))
    return [
        f"only {_count(num_steps, 'training step')}: expect rotation scores no better than the constant"
        f" baseline's. {enough} gives as many steps as the benchmark has"
    ]


def describe_lineage(run: Run) -> list[str]:
    """Describe where a run comes from, if it did not begin with fresh weights and this number of epochs."""
    return [f"{run.folder}: {sentence}" for sentence in run.lineage.describe(run.config.epochs)]


def find_moved_schedules(run: Run, method: Method, steps_per_epoch: int) -> list[str]:
    """Return warnings about schedules that an extension stretches; none if the run was not extended."""
    if not run.lineage.extensions:
        return []
    return list(_iter_moved_schedules(run, method, steps_per_epoch))


def _iter_moved_schedules(run: Run, method: Method, steps_per_epoch: int) -> Iterator[str]:
    config, before = run.config, run.lineage.extensions[-1].epochs_before
    if config.schedule == "cosine":
        rate = compute_learning_rate(config, before * steps_per_epoch, steps_per_epoch)
        yield (
            f"the cosine schedule now ends after {config.epochs} epochs: the learning rate, which fell to 0"
            f" within {before}, goes on from {rate:.3g}. The result is not that of one run of"
            f" {config.epochs} epochs; only runs with {format_setting('schedule', 'constant')} have that"
        )
    hooks = ("before_step", "after_step")
    if any(getattr(type(method), name) is not getattr(Method, name) for name in hooks):
        yield (
            f"{config.method} may have schedules over the whole training (a moving average, a temperature):"
            f" from here on they are those of {config.epochs} epochs, so one run of that many epochs would"
            " differ"
        )


def _format_samples(spec: SampleSpec) -> str:
    if spec == PAIR:
        return "pairs"
    if spec.num_views == 1:
        return "views"
    return f"{'sequences' if spec.consecutive else 'samples'} of {spec.num_views} views"


def _describe_paper(config: TrainConfig) -> str:
    """Describe the number of steps of the method's paper settings on 3DIEBench; "" if there is no paper."""
    paper = get_method_entry(config.method).config.paper_training
    if is_reference(config.method) and not paper:
        return ""
    defaults = {name: TrainConfig.__dataclass_fields__[name].default for name in ("epochs", "batch_size")}
    epochs, batch_size = ({**defaults, **paper}[name] for name in defaults)
    num_steps = _PAPER_OBJECTS // batch_size * epochs
    return f"the paper's settings are about {num_steps:,} steps of {batch_size:,} on 3DIEBench, "


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
