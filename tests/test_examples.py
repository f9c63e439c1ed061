"""The scripts for clusters, run against stand-ins for the clusters' own commands."""

import os
import signal
import subprocess
from pathlib import Path

import pytest

from tests.support.processes import wait_until

EXAMPLES = Path(__file__).parent.parent / "examples"

STAND_IN = """#!/usr/bin/env bash
echo "$(basename "$0") $*" >>"$CALLS"
[ "$(basename "$0")" = sbatch ] && echo 4711
[ "$1 $2" = "show hostnames" ] && printf 'node-3\\nnode-4\\n'
exit 0
"""

SRUN = """#!/usr/bin/env bash
echo "srun $1 of $MASTER_ADDR:$MASTER_PORT" >>"$CALLS"
shift
export SLURM_PROCID=5 SLURM_NTASKS=16 SLURM_LOCALID=1
exec "$@"
"""
"""It runs one of the processes in its own place."""

TURNTABLE = """#!/usr/bin/env bash
echo "turntable $*${RANK:+ as rank $RANK/$LOCAL_RANK of $WORLD_SIZE}" >>"$CALLS"
trap 'echo stopping >>"$CALLS"; sleep 0.3; exit 75' USR1 TERM
touch "$CALLS.started"
for _ in $(seq "${TENTHS:-1}"); do sleep 0.1; done
[ "$1" = "${ENDS_WITH_STATUS:-$1}" ] && exit "${STATUS:-0}"
exit 0
"""


@pytest.fixture
def cluster(tmp_path):
    """An environment whose commands write down how they were called."""
    for name, text in {
        "sbatch": STAND_IN,
        "scontrol": STAND_IN,
        "srun": SRUN,
        "turntable": TURNTABLE,
    }.items():
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    return {
        **os.environ,
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
        "CALLS": str(tmp_path / "calls"),
        "SLURM_ARRAY_JOB_ID": "12",
        "SLURM_ARRAY_TASK_ID": "3",
        "SLURM_ARRAY_TASK_COUNT": "1",  # one index that is submitted again
        "SLURM_CPUS_PER_TASK": "4",
        "SLURM_JOB_ID": "30012",
        "SLURM_JOB_NODELIST": "node-[3-4]",
    }


def calls(cluster):
    return Path(cluster["CALLS"]).read_text().splitlines()


def sbatch(cluster, tmp_path, script="render.sbatch", arguments=("5", "zoo", "/out dir", "--views", "8")):
    return subprocess.Popen(["bash", str(EXAMPLES / "slurm" / script), *arguments], env=cluster, cwd=tmp_path)


TRAIN = ("train.sbatch", ("/set", "--method", "sie", "--out", "runs/a b"))
METHODS = ("methods.sbatch", ("sie vicreg", "0 7", "/set", "runs", "--epochs", "3"))
RENDER = ("render.sbatch", ("5", "zoo", "/out dir"))


@pytest.mark.parametrize("status", [0, 2])
def test_an_array_job_makes_its_share_and_ends_as_the_run_does(cluster, tmp_path, status):
    assert sbatch({**cluster, "STATUS": str(status)}, tmp_path).wait(30) == status
    (call,) = calls(cluster)
    assert call == (
        "turntable render zoo --out /out dir --views 8 --job 3/5 --workers 4 --events turntable-12-3.jsonl"
    )


@pytest.mark.parametrize("number", [signal.SIGUSR1, signal.SIGTERM])
@pytest.mark.parametrize(
    ("script", "again"), [(RENDER, "12_3"), (TRAIN, "30012"), (METHODS, "12_3")], ids=lambda item: item[0]
)
def test_a_job_near_its_limit_ends_cleanly_and_is_queued_again(cluster, tmp_path, number, script, again):
    process = sbatch({**cluster, "TENTHS": "300"}, tmp_path, *script)
    wait_until(Path(cluster["CALLS"] + ".started").exists)
    process.send_signal(number)
    assert process.wait(30) == 0
    assert calls(cluster)[-2:] == ["stopping", f"scontrol requeue {again}"]


@pytest.mark.parametrize("status", [0, 1, 2, 137])
def test_a_training_job_ends_as_the_training_does(cluster, tmp_path, status):
    assert sbatch({**cluster, "STATUS": str(status)}, tmp_path, *TRAIN).wait(30) == status
    assert calls(cluster) == [
        "scontrol show hostnames node-[3-4]",
        "srun --cpus-per-task=4 of node-3:20012",
        "turntable train /set --method sie --out runs/a b --workers 3 as rank 5/1 of 16",
    ]


def test_each_job_of_a_comparison_trains_another_method_or_seed_and_evaluates_it(cluster, tmp_path):
    for index in (1, 2, 3, 4):
        assert sbatch({**cluster, "SLURM_ARRAY_TASK_ID": str(index)}, tmp_path, *METHODS).wait(30) == 0
    lines = calls(cluster)
    pairs = [("sie", 0), ("sie", 7), ("vicreg", 0), ("vicreg", 7)]
    assert lines[::2] == [
        f"turntable train /set --method {name} --seed {seed} --out runs/{name}-{seed} --epochs 3"
        for name, seed in pairs
    ]
    assert lines[1::2] == [f"turntable evaluate runs/{name}-{seed} /set" for name, seed in pairs]


@pytest.mark.parametrize(("step", "num_calls"), [("train", 1), ("evaluate", 2)])
def test_a_job_of_a_comparison_fails_where_a_step_does(cluster, tmp_path, step, num_calls):
    failing = {**cluster, "STATUS": "2", "ENDS_WITH_STATUS": step}
    assert sbatch(failing, tmp_path, *METHODS).wait(30) == 2
    assert len(calls(cluster)) == num_calls


@pytest.mark.parametrize(
    ("script", "changes", "words"),
    [
        (("render.sbatch", ("zoo", "/out", "--views", "8")), {}, "render.sbatch JOBS RECIPE OUT"),
        (RENDER, {"SLURM_ARRAY_TASK_ID": ""}, "sbatch --array=1-JOBS"),
        (("train.sbatch", ()), {}, "train.sbatch DATASET"),
        (METHODS, {"SLURM_ARRAY_TASK_ID": "5"}, "2 methods and 2 seeds: give --array=1-4"),
        (METHODS, {"SLURM_ARRAY_TASK_ID": "0"}, "give --array=1-4"),
        (("methods.sbatch", ("sie", "0", "/set")), {}, "methods.sbatch"),
    ],
)
def test_a_script_that_is_called_wrongly_says_how(cluster, capfd, tmp_path, script, changes, words):
    assert sbatch({**cluster, **changes}, tmp_path, *script).wait(30) == 2
    assert words in capfd.readouterr().err
    assert not Path(cluster["CALLS"]).exists()


def test_the_array_is_followed_by_the_merge(cluster, tmp_path):
    script = ["bash", str(EXAMPLES / "slurm/submit.sh"), "16", "zoo", "/out dir", "--views", "8"]
    subprocess.run(script, env=cluster, check=True, timeout=30)
    array, merge = calls(cluster)
    assert array.startswith("sbatch --parsable --array=1-16 /")
    assert array.endswith("slurm/render.sbatch 16 zoo /out dir --views 8")
    assert "--dependency=afterok:4711" in merge
    assert merge.endswith(r"--wrap=turntable merge /out\ dir && turntable verify /out\ dir")


def test_the_comparison_follows_the_array_of_trainings(cluster):
    script = ["bash", str(EXAMPLES / "slurm/submit-methods.sh"), "sie vicreg", "0 7", "/set", "my runs"]
    subprocess.run([*script, "--epochs", "3"], env=cluster, check=True, timeout=30)
    array, table = calls(cluster)
    assert array.startswith("sbatch --parsable --array=1-4 /")
    assert array.endswith("slurm/methods.sbatch sie vicreg 0 7 /set my runs --epochs 3")
    assert "--dependency=afterok:4711" in table
    runs = " ".join(rf"my\ runs/{name}-{seed}" for name in ("sie", "vicreg") for seed in (0, 7))
    assert table.endswith(rf"--wrap=turntable compare {runs} --out my\ runs/comparison.html")


def test_the_kubernetes_jobs_read_as_jobs():
    """Every pod of the indexed job makes another share, counted from 1."""
    yaml = pytest.importorskip("yaml", reason="PyYAML comes with moto, for tests alone")
    render = yaml.safe_load((EXAMPLES / "kubernetes/render.yaml").read_text())
    merge = yaml.safe_load((EXAMPLES / "kubernetes/merge.yaml").read_text())
    assert render["kind"] == merge["kind"] == "Job"
    spec = render["spec"]
    assert spec["completionMode"] == "Indexed"
    (container,) = spec["template"]["spec"]["containers"]
    (command,) = container["args"]
    assert f"--job $((JOB_COMPLETION_INDEX + 1))/{spec['completions']} " in command
    shell = command.replace("exec turntable", "echo")
    said = subprocess.run(
        ["sh", "-c", shell], env={"JOB_COMPLETION_INDEX": "7"}, capture_output=True, text=True, check=True
    ).stdout
    assert "--job 8/8" in said
    assert "turntable merge /sets/3diebench" in merge["spec"]["template"]["spec"]["containers"][0]["args"][0]
