#!/usr/bin/env bash
# Submit all of a data set: JOBS array jobs, then the join and a check once every one of them has succeeded.
#
#   examples/slurm/submit.sh 16 3diebench /data/sets/3diebench --meshes /data/ShapeNetCore.v2
#   examples/slurm/submit.sh 4 zoo /data/sets/zoo --objects 480 [more options of turntable render]
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
jobs="$1" out="$3"
array="$(sbatch --parsable --array="1-$jobs" "$here/render.sbatch" "$@")"
join="turntable merge $(printf %q "$out") && turntable verify $(printf %q "$out")"
sbatch --dependency="afterok:$array" --job-name=turntable-merge --cpus-per-task=4 --wrap="$join"
