#!/usr/bin/env bash
# Submit a comparison: every method with every seed, then one table of all once they have succeeded.
#
#   examples/slurm/submit-methods.sh "sie simclr vicreg" "0 1" /data/sets/3diebench runs [options of turntable train]
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
read -ra methods <<<"$1"
read -ra seeds <<<"$2"
runs="$4" table="turntable compare"
for method in "${methods[@]}"; do
    for seed in "${seeds[@]}"; do table+=" $(printf %q "$runs/$method-$seed")"; done
done
table+=" --out $(printf %q "$runs/comparison.html")"
array="$(sbatch --parsable --array="1-$((${#methods[@]} * ${#seeds[@]}))" "$here/methods.sbatch" "$@")"
sbatch --dependency="afterok:$array" --job-name=turntable-compare --wrap="$table"
