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
exit 0
"""

TURNTABLE = """#!/usr/bin/env bash
echo "turntable $*" >>"$CALLS"
trap 'echo stopping >>"$CALLS"; sleep 0.3; exit 75' USR1 TERM
touch "$CALLS.started"
for _ in $(seq "${TENTHS:-1}"); do sleep 0.1; done
exit "${STATUS:-0}"
"""


@pytest.fixture
def cluster(tmp_path):
    """An environment whose commands write down how they were called."""
    for name, text in {"sbatch": STAND_IN, "scontrol": STAND_IN, "turntable": TURNTABLE}.items():
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    return {
        **os.environ,
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
        "CALLS": str(tmp_path / "calls"),
        "SLURM_ARRAY_JOB_ID": "12",
        "SLURM_ARRAY_TASK_ID": "3",
        "SLURM_ARRAY_TASK_COUNT": "5",
        "SLURM_CPUS_PER_TASK": "4",
    }


def calls(cluster):
    return Path(cluster["CALLS"]).read_text().splitlines()


def sbatch(cluster, tmp_path):
    script = ["bash", str(EXAMPLES / "slurm/render.sbatch"), "zoo", "/meshes", "/out dir", "--views", "8"]
    return subprocess.Popen(script, env=cluster, cwd=tmp_path)


@pytest.mark.parametrize("status", [0, 2])
def test_an_array_job_makes_its_share_and_ends_as_the_run_does(cluster, tmp_path, status):
    assert sbatch({**cluster, "STATUS": str(status)}, tmp_path).wait(30) == status
    (call,) = calls(cluster)
    assert call == (
        "turntable render zoo --meshes /meshes --out /out dir --views 8 --job 3/5 --workers 4 "
        "--events turntable-12-3.jsonl"
    )


@pytest.mark.parametrize("number", [signal.SIGUSR1, signal.SIGTERM])
def test_a_job_near_its_limit_ends_cleanly_and_is_queued_again(cluster, tmp_path, number):
    process = sbatch({**cluster, "TENTHS": "300"}, tmp_path)
    wait_until(Path(cluster["CALLS"] + ".started").exists)
    process.send_signal(number)
    assert process.wait(30) == 0
    assert calls(cluster)[1:] == ["stopping", "scontrol requeue 12_3"]


def test_the_array_is_followed_by_the_merge(cluster, tmp_path):
    script = ["bash", str(EXAMPLES / "slurm/submit.sh"), "16", "zoo", "/meshes", "/out dir", "--views", "8"]
    subprocess.run(script, env=cluster, check=True, timeout=30)
    array, merge = calls(cluster)
    assert array.startswith("sbatch --parsable --array=1-16 /")
    assert array.endswith("slurm/render.sbatch zoo /meshes /out dir --views 8")
    assert "--dependency=afterok:4711" in merge
    assert merge.endswith(r"--wrap=turntable merge /out\ dir && turntable verify /out\ dir")


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
